from pydantic_settings import BaseSettings


class Settings(BaseSettings):
    REDIS_URL: str = "redis://localhost"
    WORK_INSIDE: bool = True


settings = Settings()
