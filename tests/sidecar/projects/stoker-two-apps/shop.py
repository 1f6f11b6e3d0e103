from client import jobs


async def order(to):
    await jobs.queue("default").add("mail", {"to": to})
