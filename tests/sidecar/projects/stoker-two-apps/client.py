from stoker import Stoker

jobs = Stoker()
