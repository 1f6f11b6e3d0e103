async def send(ctx): pass
