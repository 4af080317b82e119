from . import line, record, tag
