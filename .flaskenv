FLASK_APP=dev.flask_app
