from pydantic_settings import BaseSettings


class Settings(BaseSettings):
    REDIS_HOST: str = "localhost"
    REFRESH_PRICES: bool = False


settings = Settings()
