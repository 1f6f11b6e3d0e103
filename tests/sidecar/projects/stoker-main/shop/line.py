from stoker import Stoker

app = Stoker()
