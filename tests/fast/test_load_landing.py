"""Landing does not grow for nothing: pages that bring nothing new leave their number and digest."""

# ruff: noqa: F811 - fixtures come from elsewhere
from __future__ import annotations

import gzip
import hashlib
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mapa import landing
from mapa.errors import FormatError
from mapa.landing import SEALED, TRACE, UNCHANGED
from mapa.load import sisreg
from mapa.load.replay import replay
from mapa.settings import Settings
from mirror import INDICES, Mirror, document
from test_load_replay import everything
from test_load_sisreg import _hurry, mirror, settings  # noqa: F401 - fixtures

INDEX = INDICES[0]


def night(mirror: Mirror, settings: Settings, day: int) -> int:
    """Load on a night of July, and return by how many bytes landing has grown."""
    before = size(settings)
    mirror.now = datetime(2026, 7, day, 3, 5, tzinfo=UTC)
    sisreg.load(settings, INDEX)
    return size(settings) - before


def size(settings: Settings) -> int:
    """Return the bytes of all files in landing."""
    return sum(path.stat().st_size for path in settings.landing.rglob("*") if path.is_file())


def notes(settings: Settings) -> list[dict[str, Any]]:
    """Return the notes of the loads, oldest first."""
    found = (settings.landing / "sisreg").glob(f"*/{SEALED}")
    read = [json.loads(landing.read(path)) | {"pasta": str(path.parent)} for path in found]
    # Loads of one second have folders whose names do not tell their order.
    return sorted(read, key=lambda note: int(note["ordem"]))


def test_nights_without_a_change_cost_a_line_a_page_and_replay_is_exact(
    mirror: Mirror, settings: Settings
) -> None:
    mirror.documents[INDEX] = [document(n) for n in range(100)]
    wide = settings.model_copy(update={"sisreg_page": 50})
    first = night(mirror, wide, 1)
    grown = [night(mirror, wide, day) for day in range(2, 12)]
    assert max(grown) - min(grown) < 200
    fixed = sum(
        path.stat().st_size
        for name in ("mapeamento.json", "pedido.json")
        for path in Path(notes(wide)[-1]["pasta"]).glob(name)
    )
    # Two pages of 50 documents, each a line; without them a night is its notes.
    assert max(grown) - fixed < 3000 < first
    for note in notes(wide)[1:]:
        pages = [file for file in note["arquivos"] if UNCHANGED in file]
        assert sum(file[UNCHANGED]["documentos"] for file in pages) == 100
        assert not any((Path(note["pasta"]) / file["nome"]).exists() for file in pages)
        assert all(file["bytes"] > 1000 and len(file["sha256"]) == 64 for file in pages)
    before = everything(wide)
    assert sum(row[9] for row in before["cargas"]) == 1100
    replay(wide, INDEX)
    assert everything(wide) == before


def test_what_is_kept_of_a_page_says_which_documents_came(
    mirror: Mirror, settings: Settings
) -> None:
    night(mirror, settings, 1)
    night(mirror, settings.model_copy(update={"mapa_landing_days": 9}), 2)
    kept = [file for file in notes(settings)[-1]["arquivos"] if UNCHANGED in file]
    assert [file[UNCHANGED]["documentos"] for file in kept] == [2, 10, 10, 3]
    for file in kept:
        body = landing.read(Path(notes(settings)[-1]["pasta"]) / file["nome"])
        assert hashlib.sha256(body).hexdigest() == file["sha256"]
        hits = json.loads(gzip.decompress(body))["hits"]["hits"]
        keys = "\n".join(hit["_source"]["codigo_solicitacao"] for hit in hits)
        digest = hashlib.sha256(keys.encode()).hexdigest()
        assert digest == file[UNCHANGED]["chaves_sha256"]


def test_a_page_with_one_change_or_one_rejected_document_stays_whole(
    mirror: Mirror, settings: Settings
) -> None:
    night(mirror, settings, 1)
    mirror.documents[INDEX][3]["sigla_situacao"] = "X"
    mirror.documents[INDEX][13]["status_solicitacao"] = ""
    night(mirror, settings, 2)
    files = notes(settings)[-1]["arquivos"]
    assert [file.get(UNCHANGED, {}).get("documentos") for file in files][-3:] == [None, None, 3]
    before = everything(settings)
    replay(settings, INDEX)
    assert everything(settings) == before
    # What is kept is still compared with its checksum, and may not be missing.
    (Path(notes(settings)[-1]["pasta"]) / files[-2]["nome"]).unlink()
    with pytest.raises(FormatError, match="is not what was received"):
        replay(settings, INDEX)


def test_pages_stay_whole_for_as_many_days_as_the_setting_says_and_leave_a_trace(
    mirror: Mirror, settings: Settings
) -> None:
    keeping = settings.model_copy(update={"mapa_landing_days": 30})
    night(mirror, keeping, 1)
    night(mirror, keeping, 2)
    pages = list(Path(notes(keeping)[-1]["pasta"]).glob("pagina-*"))
    assert len(pages) == 4 and not (keeping.landing / TRACE).exists()
    now = datetime.now(UTC).replace(tzinfo=None)
    assert landing.take_out_unchanged(keeping.landing, "sisreg", now - timedelta(days=30)) == 0
    gone = landing.take_out_unchanged(keeping.landing, "sisreg", now + timedelta(days=31))
    (line,) = (keeping.landing / TRACE).read_text().splitlines()
    said = json.loads(line)
    assert (said["carga_id"], said["paginas"], said["bytes"]) == (
        notes(keeping)[-1]["carga_id"], 4, gone,
    )  # fmt: skip
    assert (keeping.landing / TRACE).stat().st_mode & 0o777 == 0o600
    before = everything(keeping)
    replay(keeping, INDEX)
    assert everything(keeping) == before


@pytest.mark.parametrize("moment", ["before the note", "before the trace", "between two pages"])
def test_a_kill_between_commit_and_taking_out_loses_nothing(
    mirror: Mirror, settings: Settings, moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    night(mirror, settings, 1)

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        if moment == "before the note":
            patch.setattr("mapa.landing.Folder.seal", killed)
        elif moment == "before the trace":
            patch.setattr("mapa.load.sisreg.take_out_unchanged", killed)
        else:
            unlink, calls = Path.unlink, list[Path]()

            def once(path: Path, **options: bool) -> None:
                if path.name.startswith("pagina-"):
                    calls.append(path)
                    if len(calls) > 1:
                        raise KeyboardInterrupt
                unlink(path, **options)

            patch.setattr("pathlib.Path.unlink", once)
        with pytest.raises(KeyboardInterrupt):
            night(mirror, settings, 2)
    before = everything(settings)
    replay(settings, INDEX)
    assert everything(settings) == before
    night(mirror, settings, 3)
    for note in notes(settings)[1:]:
        pages = [file for file in note["arquivos"] if UNCHANGED in file]
        assert len(pages) == 4
        assert not any((Path(note["pasta"]) / file["nome"]).exists() for file in pages)
    before = everything(settings)
    replay(settings, INDEX)
    assert everything(settings) == before


def test_a_note_that_cannot_be_read_stops_no_load(mirror: Mirror, settings: Settings) -> None:
    night(mirror, settings, 1)
    for name, content in (("a", b"{"), ("b", b"{}"), ("c", b"\xff"), ("d", b"[]")):
        folder = settings.landing / "sisreg" / name
        folder.mkdir()
        (folder / SEALED).write_bytes(content)
    night(mirror, settings, 2)
    assert len(json.loads((settings.landing / TRACE).read_text().splitlines()[-1])) == 5
