"""Runs statements as one of the roles of deploy/clickhouse/access.sql, on chDB in a process of its own.

chDB has one user, whose rights can be set when it starts. So the process becomes a role by getting exactly its grants,
row policies and profile, as access.sql states them. Input: JSON {"path", "database", "role", "statements"}; output: a
JSON list of {"rows"} or {"error"}. Role "" is the administrator, with the views' owner beside.
"""

import json
import re
import sys
import tempfile
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

ACCESS = Path(__file__).parents[2] / "deploy" / "clickhouse" / "access.sql"
GRANT = re.compile(r"^GRANT (.+) TO (\w+)$", re.DOTALL)
POLICY = re.compile(r"^CREATE ROW POLICY IF NOT EXISTS (\w+) ON (\w+)\.(\w+) USING (.+) TO ([\w, ]+)$", re.DOTALL)
PROFILE = re.compile(r"^CREATE SETTINGS PROFILE IF NOT EXISTS \w+ SETTINGS (.+) TO (\w+)$", re.DOTALL)


def statements() -> list[str]:
    """The statements of access.sql, without comments."""
    text = "\n".join(line for line in ACCESS.read_text().splitlines() if not line.startswith("--"))
    return [part.strip() for part in (text + "\n").split(";\n") if part.strip()]


def grants_of(role: str) -> list[str]:
    """What a role is granted."""
    found = [GRANT.match(statement) for statement in statements()]
    return [match[1] for match in found if match and match[2] == role]


def policies_of(role: str) -> dict[str, str]:
    """The row filter of a role, by table."""
    found = [POLICY.match(statement) for statement in statements()]
    return {match[3]: match[4] for match in found if match and role in match[5].split(", ")}


def profile_of(role: str) -> dict[str, str]:
    """The settings of a role."""
    found = [PROFILE.match(statement) for statement in statements()]
    return {
        name.strip(): value.strip()
        for match in found
        if match and match[2] == role
        for name, value in (pair.split("=") for pair in match[1].split(","))
    }


def configuration(file: Path, role: str, database: str) -> str:
    """The engine's configuration by which its only user is the role."""

    def user(name: str, profile: str, rights: str) -> str:
        return (
            f"<{name}><no_password/><networks><ip>::/0</ip></networks><profile>{profile}</profile>"
            f"<quota>default</quota>{rights}</{name}>"
        )

    def grants(name: str) -> str:
        return "<grants>" + "".join(f"<query>GRANT {escape(g)}</query>" for g in grants_of(name)) + "</grants>"

    settings = "".join(f"<{name}>{value}</{name}>" for name, value in profile_of(role).items())
    filters = "".join(
        f"<{table}><filter>{escape(condition)}</filter></{table}>" for table, condition in policies_of(role).items()
    )
    rights = f"{grants(role)}<databases><{database}>{filters}</{database}></databases>" if role else ""
    return (
        f"<clickhouse><users_config>{file}</users_config><quotas><default/></quotas>"
        f"<profiles><default/><role>{settings}</role></profiles><users>{user('default', 'role', rights)}"
        f"{user('loanpulse_views', 'default', grants('loanpulse_views'))}</users></clickhouse>"
    )


def main() -> None:
    from chdb import session

    task: dict[str, Any] = json.load(sys.stdin)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "config.xml"
        file.write_text(configuration(file, task["role"], task["database"]))
        engine = session.Session(f"{task['path']}?config-file={file}")
        answers: list[dict[str, Any]] = []
        for statement in task["statements"]:
            try:
                text = str(engine.query(statement, "JSONCompactEachRow"))
                answers.append({"rows": [json.loads(line) for line in text.splitlines() if line.strip()]})
            except Exception as error:
                answers.append({"error": str(error).split("\n", 1)[0]})
        engine.close()
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    main()
