SETTINGS = {"name": "shop", "url": "redis://localhost"}
