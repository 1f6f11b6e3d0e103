from .line import app
from .jobs import mail, pictures
