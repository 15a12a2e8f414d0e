"""An ASGI application that does what the path asks for; uvicorn serves it, as it serves many inference servers."""


def content_of(number):
    return b"%d:" % number + b"x" * (300_000 if number >= 62 else number * 97 % 5_000)


async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    _, name, number = scope["path"].split("/")
    content = content_of(int(number))

    async def start(status, *headers):
        await send({"type": "http.response.start", "status": status, "headers": list(headers)})

    async def body(content, more=False):
        await send({"type": "http.response.body", "body": content, "more_body": more})

    if name == "length":
        await start(200, (b"content-length", b"%d" % len(content)))
        await body(content)
    elif name == "close":
        await start(200, (b"content-length", b"%d" % len(content)), (b"connection", b"close"))
        await body(content)
    elif name == "chunks":
        await start(200)
        size = max(7, len(content) // 20)
        for at in range(0, len(content), size):
            await body(content[at : at + size], True)
        await body(b"")
    elif name == "upload":
        read, more = 0, True
        while more:
            message = await receive()
            read += len(message.get("body", b""))
            more = message.get("more_body", False)
        content = b"%d:%d" % (int(number), read)
        await start(200, (b"content-length", b"%d" % len(content)))
        await body(content)
    elif name == "cut":
        await start(200)
        await body(content, True)
        raise RuntimeError("cut")
