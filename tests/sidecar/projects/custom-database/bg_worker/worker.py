import os
import time

import psycopg


def main():
    while True:
        with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
            connection.execute("DELETE FROM carts WHERE abandoned")
        time.sleep(60)


if __name__ == "__main__":
    main()
