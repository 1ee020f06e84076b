"""The marker for what was left out, files to send, and decoded replies."""

from ._multipart import File as File
from ._response import Response as Response
from ._values import UNSET as UNSET
from ._values import FileTypes as FileTypes
from ._values import Unset as Unset
