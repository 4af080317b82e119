"""An Odoo as others have put it up: a source, a virtual environment of its own, odoo.conf, a unit and a database."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from dev import odoo_source
from tests.packages import install, program
from tests.server.conftest import ROOT

#: Odoo 19's own requirements have this version for Python 3.12 and later. Flask needs a newer one.
WERKZEUG = "3.0.1"
CONF = """[options]
data_dir = {root}/var/lib/odoo
db_port = {database_port}
http_port = {port}
max_cron_threads = 0
"""
UNIT = """[Service]
User={user}
Group={user}
ExecStart={root}/opt/odoo/venv/bin/python {root}/opt/odoo/odoo/odoo-bin -c {root}/etc/odoo/odoo.conf
"""


def make(root: Path, user: str, port: int, database_port: int) -> None:
    """Put it up; the database `production` is made by Odoo, over PostgreSQL's socket."""
    _source(root / "opt" / "odoo" / "odoo")
    _environment(root / "opt" / "odoo" / "venv")
    conf = root / "etc" / "odoo" / "odoo.conf"
    conf.write_text(CONF.format(root=root, port=port, database_port=database_port))
    conf.chmod(0o640)
    shutil.chown(conf, "root", user)
    (root / "etc" / "systemd" / "system" / "odoo.service").write_text(UNIT.format(root=root, user=user))
    odoo = [root / "opt" / "odoo" / "venv" / "bin" / "python", root / "opt" / "odoo" / "odoo" / "odoo-bin", "-c", conf]
    command = ["runuser", "-u", user, "--", *odoo, "-d", "production", "-i", "web"]
    command += ["--skip-auto-install", "--stop-after-init"]
    done = subprocess.run(list(map(str, command)), cwd="/", capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]


def _source(folder: Path) -> None:
    """A checkout, without translations: files of its own, as another user may not reach this machine's."""
    source = odoo_source.ensure()
    ignored = shutil.ignore_patterns("i18n", "__pycache__")
    # Debian's package has links to files of others, which it needs for its pages alone.
    shutil.copytree(source.package, folder / "odoo", ignore=ignored, symlinks=True)
    beside = next((path for path in source.addons if not path.is_relative_to(source.package)), None)
    if beside is None:  # Debian's has all in one folder, a checkout has base alone there
        (folder / "addons").mkdir()
        for addon in (folder / "odoo" / "addons").iterdir():
            if addon.name != "base":
                addon.rename(folder / "addons" / addon.name)
    else:
        shutil.copytree(beside, folder / "addons", ignore=ignored, symlinks=True)
    (folder / "odoo-bin").write_text('import odoo.cli\n\nif __name__ == "__main__":\n    odoo.cli.main()\n')


def _environment(folder: Path) -> None:
    """Odoo's packages, in versions that are not Gatehouse's where Odoo's own requirements have others."""
    python = program("/usr/bin/python3", "python3-venv")
    if subprocess.run([python, "-c", "import ensurepip"], capture_output=True, check=False).returncode:
        install("python3-venv")  # Debian's python3 comes without
    lines = (ROOT / "requirements-odoo.txt").read_text().splitlines()
    lines += [line for line in (ROOT / "requirements.txt").read_text().splitlines() if line.startswith("psycopg2")]
    requirements = folder.with_name("requirements.txt")
    requirements.write_text("\n".join(f"Werkzeug=={WERKZEUG}" if "Werkzeug" in line else line for line in lines))
    for command in (
        [python, "-m", "venv", folder],
        [folder / "bin" / "pip", "install", "-q", "--no-compile", "-r", requirements],
    ):
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-3000:]
