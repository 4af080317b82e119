from . import line, record, tag  # isort: split

from . import assets, methods, ways_out
