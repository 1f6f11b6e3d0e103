"""Why an upload is refused. The class's name is the reason that people and tables show."""

from __future__ import annotations

from stoker import Unrecoverable


class Missing(Exception):
    """It is not in the store. It may still be on its way, so this one is worth another attempt."""


class Rejected(Unrecoverable):
    """No further attempt would make it good: its job fails at once."""


class UnknownUpload(Rejected):
    """The organisation has no such upload."""


class SizeDiffers(Rejected):
    """The stored file is not as long as was declared."""


class ChecksumDiffers(Rejected):
    """The stored file is not the one that was declared."""


class NotAPicture(Rejected):
    """Nothing that can be read begins like this."""


class TypeDiffers(Rejected):
    """It is a picture, of another type than was declared."""


class TooLarge(Rejected):
    """It would unpack to more than is allowed."""


class Damaged(Rejected):
    """It begins like a picture and does not end like one."""
