import procrastinate

app = procrastinate.App(connector=procrastinate.PsycopgConnector())
