"""What is secret is known by its name or its looks, and hidden before anything is shown."""

from __future__ import annotations

import re

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from stoker.sidecar.detection import Evidence
from stoker.sidecar.plan import Decision
from stoker.sidecar.secrets import (
    LONGEST,
    MASK,
    is_secret,
    is_secret_name,
    masked,
    masked_line,
    masked_value,
    masked_words,
)
from stoker.sidecar.secrets.compose import without_secrets


@pytest.mark.parametrize(
    "name",
    ["API_KEY", "stripe_secret", "PGPASSWORD", "accessToken", "--redis-password", "SECRET_KEY_BASE",
     "AWS_ACCESS_KEY_ID", "SESSION_SALT", "FLOWER_BASIC_AUTH", "FERNET_KEYS", "GITHUB_PAT",
     "SIGNING_KEY_V2", "HTTP_TOKENS", "SENTRY_DSN", "requirepass"],
)  # fmt: skip
def test_a_secret_is_known_by_its_name(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize(
    "name",
    ["REDIS_KEY_PREFIX", "TOKENIZERS_PARALLELISM", "KEYSPACE", "MAX_TOKENS", "OPENAI_MAX_TOKENS",
     "TOKEN_TTL", "ACCESS_TOKEN_EXPIRE_MINUTES", "PASSWORD_MIN_LENGTH", "POSTGRES_PASSWORD_FILE",
     "TOKEN_URL", "PUBLIC_KEY", "RECAPTCHA_SITE_KEY", "PWD", "ROUTING_KEY",
     "MONKEY", "BYPASS", "AUTHOR", "SECRETARY"],
)  # fmt: skip
def test_what_is_only_called_alike_is_none(name: str) -> None:
    assert not is_secret_name(name)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("STRIPE_API_KEY", "x"),
        ("ENCRYPTION_KEY", "x"),
        ("SMTP_PASS", "x"),
        ("MAILER", "smtp://me:x@mail.example.org"),
        ("STORE", "Server=db;User=sa;Password=x;"),
        ("CONNECTION", "host=db password=x"),
        ("STRIPE", "sk_live_" + "a1" * 12),
        ("ID", "0123456789abcdef" * 2),
        ("PEM", "-----BEGIN PRIVATE KEY-----"),
        ("URL", "http://[::1"),
        ("BUS", "nats://word@h"),
        ("HOOK", "https://word@h/x"),
        ("CACHE", "redis://word@h"),
        ("PASSWORD_FILE", "hunter2"),
        ("STORE", "Driver=x;UID=sa;PWD=x"),
        ("OPTS", "password=$ecret"),
        ("OPTS", "--broker=redis://:$ecret@h"),
    ],
)
def test_a_secret_is_known_by_its_name_or_its_looks(name: str, value: str) -> None:
    assert is_secret(name, value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LOG_LEVEL", "info"),
        ("KEY_PREFIX", "shop"),
        ("PUBLIC_URL", "https://shop.example.org/a?b=c"),
        ("MAIL_FROM", "shop@example.org"),
        ("PASSWORD_RESET_URL_FOR", ""),
        ("BUCKET", "a-bucket-with-a-long-name-for-2026"),
        ("PASSWORD_FILE", "/run/secrets/password"),
        ("TLS_KEY", "/etc/tls/key.pem"),
        ("COOKIE", "false"),
        ("STORE", "postgresql+asyncpg://shop@h/shop"),
        ("PACKAGE", "git+ssh://git@example.org/shop.git"),
        ("REGISTRY", "https://h:8443/@scope/package"),
        ("SERVERS", "redis://a:6379,redis://b:6379"),
        ("REDIS_DSN", "redis://redis:6379/0"),
        ("OPTS", "-l info -Q mail --max-tasks-per-child=10"),
        ("MAP", '{"key": "value"}'),
    ],
)
def test_what_is_plain_is_no_secret(name: str, value: str) -> None:
    assert not is_secret(name, value)
    assert masked_value(name, value) == value


@pytest.mark.parametrize(
    ("name", "text", "left"),
    [
        ("STORE", "redis://h", "redis://h"),
        ("STORE", "redis://:s3cret@h", "${STORE:?}"),
        ("TOKEN", "${TOKEN}", "${TOKEN}"),
        ("TOKEN", "${TOKEN:-}", "${TOKEN:-}"),
        ("TOKEN", "${TOKEN:?say it}", "${TOKEN:?say it}"),
        ("TOKEN", "${TOKEN:-s3cret}", "${TOKEN:?}"),
        ("TOKEN", "${A:+s3cret}", "${A:?}"),
        ("TOKEN", "${A:-${B:-s3cret}}", "${A:-${B:?}}"),
        ("TOKEN", "${A:-${B:-}}", "${A:-${B:-}}"),
        ("STORE", "redis://:${A:-s3cret}@${H:-h}", "redis://:${A:?}@${H:-h}"),
        ("STORE", "${A:-redis://:${B}@${H:-h}}", "${A:-redis://:${B}@${H:-h}}"),
        ("STORE", "${A:-redis://:${B:-s3cret}@h}", "${A:-redis://:${B:?}@h}"),
        ("STORE", "${A_TOKEN:-s3cret}/${H:-h}", "${A_TOKEN:?}/${H:-h}"),
        ("STORE", "${A_TOKEN:+--with-it}", "${A_TOKEN:+--with-it}"),
        ("CONF", '${C:-{"password": "s3cret"}}', "${C:?}"),
        ("CONF", '${C:-{"a": {"b": "${D:-$$}"}}}', '${C:-{"a": {"b": "${D:-$$}"}}}'),
        ("STORE", "$${A:-redis://:s3cret@h}", "${STORE:?}"),
        ("STORE", "$$A $ $1 {$B}", "$$A $ $1 {$B}"),
        ("STORE", "${A:-redis://:s3cret@h", "${STORE:?}"),
    ],
)
def test_a_secret_of_a_compose_file_is_asked_for(name: str, text: str, left: str) -> None:
    asked = left.replace(":?}", ":?set it in .env}")
    assert without_secrets(name, text) == asked
    assert without_secrets(name, asked) == asked


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("CELERY_BROKER_URL=redis://:s3cret@localhost", "CELERY_BROKER_URL=redis://:***@localhost"),
        ("REDIS_BROKER_PASSWORD=s3cret", "REDIS_BROKER_PASSWORD=***"),
        ("- BROKER: nats://s3cret@q", "- BROKER: nats://***@q"),
        ("export PASSWORD='s3 cret' # mine", "export PASSWORD='***' # mine"),
        ("PASSWORD=s3;cr)et(x)", "PASSWORD=***"),
        ("ENV DB_PASSWORD s3cret", "ENV DB_PASSWORD ***"),
        ("PASSWORD=b", "PASSWORD=***"),
        ("password: s3cret(1)x", "password: ***"),
        ("url = redis://:s3cret(1)@h", "url = redis://:***@h"),
        ('token = os.getenv("TOKEN", "s3cret")', 'token = os.getenv("TOKEN", "***")'),
        ('{ pass: process.env.QUEUE_PASSWORD || "s3cret" }',
         '{ pass: process.env.QUEUE_PASSWORD || "***" }'),
        ("x = env.A_TOKEN ?? 's3cret'", "x = env.A_TOKEN ?? '***'"),
        ('x = ENV["A_TOKEN"] or "s3cret"', 'x = ENV["A_TOKEN"] or "***"'),
        ('x = env.MODE || "s3cret"', 'x = env.MODE || "s3cret"'),
        ("x = ENV.fetch('A_TOKEN', 's3cret')", "x = ENV.fetch('A_TOKEN', '***')"),
        ("const token = process.env.T || 's3cret';", "const token = ***"),
        ('password = ask(x) or "s3cret"', 'password = ask(x) or "***"'),
        ("Redis(host='a', password='s3cret', db=3)", "Redis(host='a', password='***', db=3)"),
        ('password: str = "s3cret"', 'password: str = "***"'),
        ("FOO: ${DB_PASSWORD:-s3cret}", "FOO: ${DB_PASSWORD:-***}"),
        ("worker: PASSWORD=s3cret celery -A x", "worker: PASSWORD=*** celery -A x"),
        ("celery --api-key s3cret -l info", "celery --api-key *** -l info"),
        ('command: ["a", "--password", "s3cret"]', 'command: ["a", "--password", "***"]'),
        ("command: [a, --password, s3cret, -b]", "command: [a, --password, ***, -b]"),
        ("test: [CMD, redis-cli, -a, s3cret, ping]", "test: [CMD, redis-cli, -a, ***, ping]"),
        ('test: ["redis-cli", "-a", "s3cret"]', 'test: ["redis-cli", "-a", "***"]'),
        ("redis-cli -a s3,cret] ping", "redis-cli -a ***] ping"),
        ('[ "curl", "-u", "me:s3cret", "http://h" ]', '[ "curl", "-u", "me:***", "http://h" ]'),
        ("redis://:a/s3cret@h,redis://:b@s3cret@i", "redis://:***@h,redis://:***@i"),
    ],
)  # fmt: skip
def test_a_line_is_shown_without_its_secrets(line: str, shown: str) -> None:
    assert Evidence(".env", 1, line).text == shown
    assert Decision(line, line, (), (line,)) == Decision(shown, shown, (), (shown,))
    assert masked(shown) == shown


@pytest.mark.parametrize(
    "line",
    [
        'PASSWORD = os.environ["REDIS_PASSWORD"]',
        "token = make(x)",
        "token = self.make(x)[0]",
        "password = ask(x)  # of the operator",
        "token = make(x) if x else None",
        "const apiKey = process.env.API_KEY;",
        "Redis(password=settings.REDIS_PASSWORD, db=1)",
        "password: SecretStr",
        "PASSWORD: ${PASSWORD:?set it in .env}",
        "BROKER: redis://:${PASSWORD}@h",
        'f"redis://:{password}@h"',
        "sorted(names, key=len)",
        "Token::Broker",
        "MAX_TOKENS=4096",
        "broker.get_token(1)",
        'parser.add_argument("--password", "-p")',
        'parser.add_argument("--password", help="of the store")',
        '["--password", os.environ["PASSWORD"]]',
        "[redis-cli, -a, $PASSWORD, ping]",
    ],
)
def test_what_is_no_value_stays(line: str) -> None:
    assert masked(line) == line


@pytest.mark.parametrize("before", range(LONGEST - 30, LONGEST + 10))
def test_a_line_is_masked_before_it_is_cut(before: int) -> None:
    """A password that is cut in half could not be told."""
    text = Evidence("a", 1, "x" * before + " redis://:" + "s3cret" * 20 + "@h").text

    assert "s3" not in text
    assert len(text) <= LONGEST


def test_a_line_that_no_person_wrote_is_not_looked_through() -> None:
    text = Evidence("a", 1, "a=b:" * 200_000 + "redis://:s3cret@h").text

    assert len(text) == LONGEST


def test_a_command_is_shown_word_by_word() -> None:
    words = ("x", "--password", "s3 cret", "--broker=redis://:s3cret@h", "--key", "/tls.pem", "-v")

    shown = ("x", "--password", "***", "--broker=redis://:***@h", "--key", "/tls.pem", "-v")
    assert masked_words(words) == masked_words(shown) == shown
    assert masked_line(words) == " ".join(shown)


LETTERS = st.text("ab1:/@'\"=;,$ {}[]()-.%&?#", max_size=40)


@given(LETTERS, st.text("ab1:/@=;,$-.%&?#", min_size=1, max_size=20), LETTERS)
@example("", "://", "")
def test_whatever_a_password_holds_none_of_it_is_left(before: str, word: str, after: str) -> None:
    assume(not re.search(r"[,;|]\w[\w+.-]*://", word))  # it would be a list of addresses
    secret = f"s3cret{word}s3cret"

    for text in (f"{before} redis://:{secret}@h/0", f"{before} redis://:{secret}@h {after}"):
        assert "s3cret" not in masked(text)
        assert is_secret("X", text)
        assert masked(masked(text)) == masked(text)


@given(st.text(max_size=300))
def test_any_text_is_judged(text: str) -> None:
    without = masked(text)

    assert re.sub(r"\*+", "", without) == "" or set(without) - {"*"} <= set(text)
    assert is_secret("X", text) in (True, False)


@pytest.mark.parametrize(
    "line",
    [
        '"start:webhook": "node dist/webhook.js",',
        '"refresh-token": "node scripts/refresh-token.js"',
        '"auth": "NODE_ENV=production tsx src/auth.ts"',
        "webhook: bundle exec sidekiq -q webhook",
        "auth: node auth.js",
        "npm run token:refresh",
        "bundle exec rake token:refresh",
        'CMD ["npm", "run", "start:webhook"]',
        "const WEBHOOK = 'webhook'",
    ],
)
def test_a_script_that_is_called_like_one_is_none(line: str) -> None:
    assert masked(line) == line


def test_in_the_words_of_a_command_neither() -> None:
    words = ("npm", "run", "token:refresh")

    assert masked_words(words) == words


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        ("SLACK_WEBHOOK=https://hooks.example.com/T0/abc", "SLACK_WEBHOOK=***"),
        ("WEBHOOK_SECRET=hunter2", "WEBHOOK_SECRET=***"),
        ('token = "sh hunter2"', 'token = "***"'),
        ("API_TOKEN=node", "API_TOKEN=***"),
        ("token:abc123", "token:***"),
        ("DB_PASSWORD: yarn correct-horse-battery", "DB_PASSWORD: ***"),
        ("VAULT_PASSPHRASE=docker run correct horse", "VAULT_PASSPHRASE=***"),
        ('"password": "yarn correct-horse-battery"', '"password": "***"'),
        ("SLACK_WEBHOOK=hunter2hook", "SLACK_WEBHOOK=***"),
        ("SLACK_WEBHOOK=correcthorse", "SLACK_WEBHOOK=***"),
    ],
)
def test_what_only_looks_like_a_script_is_hidden(line: str, kept: str) -> None:
    assert masked(line) == kept


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DB_PASSWORD", "yarn correct-horse-battery"),
        ("VAULT_PASSPHRASE", "docker run correct horse"),
        ("API_TOKEN", "bash x-9fae21b"),
        ("SLACK_WEBHOOK", "hunter2hook"),
    ],
)
def test_the_value_of_a_variable_is_no_script(name: str, value: str) -> None:
    assert is_secret(name, value)
    assert masked_value(name, value) == MASK
