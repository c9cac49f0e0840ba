"""The one settings object: environment first, then `.env`, then the defaults below.

Example:
    >>> settings = Settings.load()
    >>> settings.warehouse
    PosixPath('data/mapa.duckdb')
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, DotEnvSettingsSource, SettingsConfigDict

from mapa import modes
from mapa.errors import ConfigError
from mapa.load.scope import Scope
from mapa.sealing import Key

MIN_KEY_LENGTH = 32
ENV_FILE = Path(".env")
STALE = r"^\d+(\.\d+)?(\s*,\s*[a-z_]+=\d+(\.\d+)?)*\s*$"
MAKE_KEY_FILE = (
    "Make one, apart from the data, with\n"
    '  (umask 077; python -c "import secrets; print(secrets.token_hex(32))" > FILE)'
)
HAS_MODES = os.name == "posix"


def refuse_wide_mode(path: Path, content: str) -> None:
    """Refuse a file with a secret that others on the machine may read.

    Raises:
        ConfigError: its mode is wider than 0600. Windows has no modes and is not asked.

    """
    if HAS_MODES and (mode := path.stat().st_mode & 0o777) & 0o077:
        raise ConfigError(
            f"{path} holds {content} and others may read or change it: its mode is {mode:04o}, "
            f"expected 0600.\nClose it with\n  chmod 600 {path}"
        )


def read_key_file(path: Path) -> Key:
    """Return the key that stands in a file.

    Raises:
        ConfigError: the file cannot be read, others may read it, or what is in it is too short.

    """
    try:
        text = path.read_text("utf-8").strip()
    except (OSError, ValueError):
        raise ConfigError(f"The key file {path} cannot be read.\n{MAKE_KEY_FILE}") from None
    refuse_wide_mode(path, "a key")
    return _key(f"The key in {path}", text)


def _key(name: str, text: str) -> Key:
    if len(text) < MIN_KEY_LENGTH:
        raise ConfigError(f"{name} has fewer than {MIN_KEY_LENGTH} characters.\n{MAKE_KEY_FILE}")
    return Key(text.encode())


CHECKOUT = Path(__file__).parents[2]
"""Where this program is when it runs from the project that it belongs to."""


class Settings(BaseSettings):
    """Where things are and how to reach the sources. Secrets never print (`SecretStr`)."""

    model_config = SettingsConfigDict(env_file=ENV_FILE, extra="ignore")

    mapa_dir: Path = Path("data")
    mapa_pseudonym_key: SecretStr | None = None
    # With one of these, warehouse, landing and spill are encrypted; the file has the key alone.
    mapa_warehouse_key: SecretStr | None = None
    mapa_warehouse_key_file: Path | None = None
    mapa_max_rejected_share: float = Field(default=0.05, ge=0, le=1)
    mapa_max_unpacked_mb: int = Field(default=4096, ge=1)
    # Days for which pages that brought nothing new stay whole in landing; all else stays for ever.
    mapa_landing_days: int = Field(default=0, ge=0, le=36500)
    # A house that only feeds BI tools may do without the pages.
    mapa_site: bool = True

    # How patient the loaders are; the wait doubles with each attempt, up to sixty times the first.
    mapa_attempts: int = Field(default=6, ge=1, le=20)
    mapa_wait_seconds: float = Field(default=0.5, ge=0, le=60)
    mapa_timeout_seconds: float = Field(default=300, gt=0)
    mapa_ca_file: Path | None = None
    # How long to wait for another process that has the warehouse open.
    mapa_wait_lock_seconds: float = Field(default=600, ge=0)
    # From which age in days on a source is stale, and sources with another one.
    mapa_stale_days: str = Field(default="7,cnes=45", pattern=STALE)
    mapa_max_clock_hours: float = Field(default=6, gt=0, le=1e6)

    # Of the user in `mapa publish --to`; else PGPASSWORD or ~/.pgpass.
    mapa_postgres_password: SecretStr | None = None

    # dbt's own variables, so that dbt and mapa look at the same folders.
    dbt_project_dir: Path = Path()
    dbt_target_path: Path = Path("target")
    dbt_log_path: Path = Path("logs")

    sisreg_url: str = "https://sisreg-es.saude.gov.br"
    sisreg_user: str | None = None
    sisreg_password: SecretStr | None = None
    # Which indices, centrals and state; what is not set is the territory's of dbt_project.yml.
    sisreg_suffix: str | None = None
    sisreg_central: str | None = None
    sisreg_uf: str | None = None
    sisreg_page: int = Field(default=5000, ge=1, le=10000)

    oferta_api_user: str | None = None
    oferta_api_password: SecretStr | None = None
    oferta_api_token: SecretStr | None = None

    cadsus_url: str = "https://servicos.saude.gov.br/cadsus/v2/PDQSupplierJWT"
    cadsus_token_url: str = "https://ehr-auth.saude.gov.br/api/osb/token"  # noqa: S105
    cadsus_cert: Path | None = None
    cadsus_key: Path | None = None
    cadsus_system: str = ""
    cadsus_concurrency: int = Field(default=4, ge=1, le=32)
    # Person queries per second, of all threads together; 0 is no limit. None is documented.
    cadsus_rate: float = Field(default=10, ge=0)
    cadsus_max_age_days: int = Field(default=180, ge=0)

    @classmethod
    def load(cls) -> Settings:
        """Read the settings.

        Raises:
            ConfigError: a value cannot be used, and the message names the setting, not the value;
                or `.env` holds a secret and others may read it.
        """
        cls._check_env_file()
        try:
            return cls()
        except ValidationError as error:
            first = error.errors()[0]
            name = ".".join(str(part) for part in first["loc"]).upper()
            raise ConfigError(
                f"Setting {name} cannot be used: {first['msg']}.\n"
                f"Correct {name} in the environment or in .env."
            ) from None

    @classmethod
    def _check_env_file(cls) -> None:
        """Refuse a `.env` with a secret in it that others may read."""
        given = DotEnvSettingsSource(cls).env_vars if ENV_FILE.is_file() else {}
        secret = [
            n for n, field in cls.model_fields.items() if SecretStr in get_args(field.annotation)
        ]
        if any(given.get(name) for name in secret):
            refuse_wide_mode(ENV_FILE, "a secret")

    def make_directory(self) -> None:
        """Make the folder of everything: others may pass to what is published, and list nothing."""
        modes.make_house(self.mapa_dir)

    @property
    def sisreg_scope(self) -> Scope:
        """Which documents are read: those of one or several centrals, or of a whole state.

        Raises:
            ConfigError: something is not set, and dbt_project.yml does not say it either.
        """
        given = (self.sisreg_suffix, self.sisreg_central, self.sisreg_uf)
        home = self._territory() if None in given else ("", "", "")
        suffix, central, state = (
            own if value is None else value for value, own in zip(given, home, strict=True)
        )
        # One municipality may have several; order and repetition make no other scope.
        centrals = sorted({code for code in re.split(r"[\s,;]+", central) if code})
        return Scope(suffix, tuple(centrals), state)

    def _territory(self) -> tuple[str, str, str]:
        """Return suffix, central and state of the territory in dbt_project.yml."""
        try:
            declared = self._variables()
            names = ("sisreg_sufixo", "central_codigo", "municipio_ibge6")
            suffix, central, municipality = (str(declared[name]) for name in names)
        except (OSError, KeyError, TypeError, yaml.YAMLError):
            raise ConfigError(
                f"{self.in_project('dbt_project.yml')} does not say which territory is read.\n"
                "Set SISREG_SUFFIX, SISREG_CENTRAL and SISREG_UF, or `sisreg_sufixo`, "
                "`central_codigo` and `municipio_ibge6` there."
            ) from None
        return suffix, central, municipality[:2]

    @property
    def municipality(self) -> str | None:
        """Whose network it is: IBGE's code in dbt_project.yml, six digits; None: not said."""
        return self._variable("municipio_ibge6")

    @property
    def state(self) -> str | None:
        """Whose network it is: the state in dbt_project.yml, two letters; None: not said."""
        return self._variable("uf_sigla")

    def _variable(self, name: str) -> str | None:
        """Read one variable of dbt_project.yml; None: not said."""
        try:
            return str(self._variables()[name])
        except (OSError, KeyError, TypeError, yaml.YAMLError):
            return None

    def _variables(self) -> dict[str, Any]:
        """Read the variables of dbt_project.yml."""
        path = self.in_project("dbt_project.yml")
        declared: dict[str, Any] = yaml.safe_load(path.read_text("utf-8"))["vars"]
        return declared

    def in_project(self, part: str | Path) -> Path:
        """Return where a part of the dbt project is: here, or in the checkout that runs.

        A project that DBT_PROJECT_DIR names is the only one.
        """
        path = self.dbt_project_dir / part
        is_chosen = self.dbt_project_dir != Path()
        return path if is_chosen or path.exists() else CHECKOUT / part

    def stale_days(self, source: str) -> float:
        """Return from which age in days on what a source has brought is stale."""
        first, *others = self.mapa_stale_days.replace(" ", "").split(",")
        return float(dict(pair.split("=") for pair in others).get(source, first))

    @property
    def warehouse(self) -> Path:
        """The restricted DuckDB file; dbt writes it, nobody else reads it."""
        return self.mapa_dir / "mapa.duckdb"

    @property
    def landing(self) -> Path:
        """Every byte received, as received."""
        return self.mapa_dir / "landing"

    @property
    def published(self) -> Path:
        """What leaves the house; BI tools and the site read only this."""
        return self.mapa_dir / "published"

    def warehouse_key(self) -> Key | None:
        """Return the key of warehouse and landing; None: they are not encrypted.

        Raises:
            ConfigError: it is too short, set twice, or its file cannot be used.
        """
        if self.mapa_warehouse_key and self.mapa_warehouse_key_file:
            raise ConfigError(
                "MAPA_WAREHOUSE_KEY and MAPA_WAREHOUSE_KEY_FILE are both set.\nKeep one of them."
            )
        if self.mapa_warehouse_key_file:
            return read_key_file(self.mapa_warehouse_key_file)
        given = self.mapa_warehouse_key
        return _key("MAPA_WAREHOUSE_KEY", given.get_secret_value()) if given else None

    def keys_beside_data(self) -> list[Path]:
        """Return the files in the folder of everything that hold a key."""
        house = self.mapa_dir.resolve()
        named = [self.mapa_warehouse_key_file] if self.mapa_warehouse_key_file else []
        beside = [p for p in (*named, ENV_FILE) if p.resolve().is_relative_to(house)]
        if ENV_FILE in beside:
            given = DotEnvSettingsSource(type(self)).env_vars if ENV_FILE.is_file() else {}
            if not any(given.get(name) for name in ("mapa_pseudonym_key", "mapa_warehouse_key")):
                beside.remove(ENV_FILE)
        return beside

    def pseudonym_key(self) -> bytes:
        """Return the key of the pseudonyms.

        Raises:
            ConfigError: it is missing or shorter than 32 characters.
        """
        key = self.mapa_pseudonym_key.get_secret_value() if self.mapa_pseudonym_key else ""
        if len(key) < MIN_KEY_LENGTH:
            state = "is not set" if not key else f"has fewer than {MIN_KEY_LENGTH} characters"
            raise ConfigError(
                f"MAPA_PSEUDONYM_KEY {state}; without it no pseudonym can be made.\n"
                f"Make one with\n"
                f'  python -c "import secrets; print(secrets.token_hex(32))"\n'
                f"and put it in the environment or in .env, apart from the data."
            )
        return key.encode()
