"""The marker for what was left out, files to send, and decoded replies."""

from ._detailed import Response as Response
from ._multipart import File as File
from ._values import UNSET as UNSET
from ._values import FileTypes as FileTypes
from ._values import Unset as Unset
