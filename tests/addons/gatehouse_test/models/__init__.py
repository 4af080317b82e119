from . import line, record, tag  # isort: split

from . import methods
