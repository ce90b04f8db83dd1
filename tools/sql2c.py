#!/usr/bin/env python3
"""Turns SQL files into a C table: every statement with its name, its parameters and its columns.

    tools/sql2c.py HEADER SOURCE FILE.sql ...

In a file each block begins with a line that names it; the comment lines below say what it answers:

    -- name: group_spec          one statement, prepared on each connection: SQL_group_spec
    -- scan: why                 inside a statement: it may read a whole table, and why that is right
    -- script: open_writer       several statements, run as they stand: sql_script_open_writer
    -- fragment: group_columns   text that others take in as {group_columns}

Parameters are :named (P_name in C), columns are named by their last word or their `as` (C_name in C). A file
NNNN-name.sql is a migration: its text is kept whole, with its SHA-256.
"""
import hashlib
import os
import re
import sys

BLOCK = re.compile(r"^-- (name|script|fragment): (\w+)[ ]*$", re.M)


def fail(where, why):
    sys.exit(f"{where}: {why}")


def blocks(path):
    """(kind, name, comment lines, SQL) of each block of a file."""
    text = open(path, encoding="utf-8").read()
    heads = list(BLOCK.finditer(text))
    for head, following in zip(heads, heads[1:] + [None]):
        lines = text[head.end():following.start() if following else len(text)].strip("\n").split("\n")
        comments = [line[2:].strip() for line in lines if line.startswith("--")]
        code = [line.split(" --")[0].rstrip() for line in lines if not line.startswith("--")]
        yield head.group(1), head.group(2), comments, "\n".join(code).strip().rstrip(";").strip()


def outer(sql):
    """The text with everything in quotes or brackets blanked out, so that words outside can be found by place."""
    depth, quoted, out = 0, False, []
    for letter in sql:
        if letter == "'":
            quoted = not quoted
        depth += 0 if quoted else (letter == "(") - (letter == ")")
        out.append(letter if depth == 0 and not quoted and letter not in "')" else " ")
    return "".join(out)


def parameters(sql):
    found = re.findall(r"(?<![:\w]):([a-z]\w*)", re.sub(r"'[^']*'", "''", sql))
    return list(dict.fromkeys(found))


def columns(where, sql):
    flat = outer(sql)
    begin = re.search(r"\breturning\b", flat, re.I) or re.search(r"\bselect\b", flat, re.I)
    if not begin or not re.match(r"\s*(select|with)\b|.*\breturning\b", flat, re.I | re.S):
        return []
    end = re.search(r"\bfrom\b", flat[begin.end():], re.I) if begin.group().lower() == "select" else None
    listed = flat[begin.end():begin.end() + end.start() if end else len(flat)]
    names = [re.search(r"(\w+)\s*$", part) for part in listed.split(",")]
    if not all(names):
        fail(where, "a column has no name: say `as`")
    names = [found.group(1) for found in names]
    if len(set(names)) < len(names):
        fail(where, "two columns have one name")
    return names


def quoted(text):
    lines = text.split("\n")
    return "\n".join('        "' + line.replace("\\", "\\\\").replace('"', '\\"') + ('\\n"' if i + 1 < len(lines) else '"')
                     for i, line in enumerate(lines))


def enum(name, prefix, words):
    return f"enum {name} {{\n" + "".join(f"    {prefix}{word},\n" for word in words) + f"    {prefix}COUNT,\n}};\n"


def read(paths):
    statements, scripts, fragments, migrations = [], [], {}, []
    for path in paths:
        number = re.match(r"(\d{4})-([\w-]+)\.sql$", os.path.basename(path))
        if number:
            text = open(path, encoding="utf-8").read()
            migrations.append((int(number.group(1)), number.group(2), hashlib.sha256(text.encode()).hexdigest(), text))
            continue
        for kind, name, comments, sql in blocks(path):
            if kind == "fragment":
                fragments[name] = sql
            else:
                (statements if kind == "name" else scripts).append((name, f"{path}: {name}", comments, sql))
    if [m[0] for m in migrations] != list(range(1, len(migrations) + 1)):
        fail("migrations", "are not numbered 0001, 0002, ... in the order given")
    names = [name for name, *_ in statements + scripts]
    if len(set(names)) < len(names):
        fail("statements", "a name is given twice")
    return statements, scripts, fragments, migrations


def compiled(statements, fragments):
    for name, where, comments, sql in statements:
        while "{" in sql:  # fragments may name fragments
            sql = re.sub(r"\{(\w+)\}", lambda m: fragments.get(m.group(1)) or fail(where, f"no fragment {m.group(1)}"), sql)
        scan = next((c[5:].strip() for c in comments if c.startswith("scan:")), None)
        yield name, sql, scan, parameters(sql), columns(where, sql)


def main():
    header, source, *paths = sys.argv[1:]
    statements, scripts, fragments, migrations = read(paths)
    table = list(compiled(statements, fragments))
    params = sorted({p for _, _, _, found, _ in table for p in found})
    cols = sorted({c for _, _, _, _, found in table for c in found})

    with open(header, "w", encoding="utf-8") as out:
        out.write("/* Made by tools/sql2c.py from sql/ and migrations/. */\n#ifndef STORE_STATEMENTS_H\n"
                  "#define STORE_STATEMENTS_H\n\n")
        out.write(enum("sql", "SQL_", [name for name, *_ in table]) + "\n")
        out.write(enum("sql_parameter", "P_", params) + "\n" + enum("sql_column", "C_", cols) + "\n")
        out.write("".join(f"extern const char sql_script_{name}[];\n" for name, *_ in scripts) + "\n#endif\n")

    with open(source, "w", encoding="utf-8") as out:
        out.write('/* Made by tools/sql2c.py from sql/ and migrations/. */\n#include "store/statements.h"\n\n'
                  '#include "store/backend.h"\n\n')
        for name, _, _, sql in scripts:
            out.write(f"const char sql_script_{name}[] =\n{quoted(sql)};\n\n")
        for name, _, _, found, read_cols in table:
            for kind, prefix, count, words in (("parameters", "P_", "P_COUNT", found), ("columns", "C_", "C_COUNT", read_cols)):
                if words:
                    places = ", ".join(f"[{prefix}{word}] = {i}" for i, word in enumerate(words, 1))
                    out.write(f"static const unsigned char {name}_{kind}[{count}] = {{ {places} }};\n")
                    listed = ", ".join(f'"{word}"' for word in words)
                    out.write(f"static const char *const {name}_{kind}_names[] = {{ {listed} }};\n")
        out.write("\nstatic const struct sql_statement statements[SQL_COUNT] = {\n")
        for name, sql, scan, found, read_cols in table:
            out.write(f'    [SQL_{name}] = {{\n        .name = "{name}",\n        .text =\n{quoted(sql)},\n')
            if scan:
                out.write(f"        .scan =\n{quoted(scan)},\n")
            for kind, words in (("parameters", found), ("columns", read_cols)):
                if words:
                    out.write(f"        .{kind} = {name}_{kind}, .{kind}_names = {name}_{kind}_names, "
                              f".{kind}_count = {len(words)},\n")
            out.write("    },\n")
        out.write("};\n\nstatic const struct sql_migration migrations[] = {\n")
        for number, name, checksum, text in migrations:
            out.write(f'    {{ {number}, "{name}", "{checksum}",\n{quoted(text)} }},\n')
        out.write("};\n\nconst struct sql_catalog sql_catalog = {\n    .statements = statements, .statements_count = SQL_COUNT,\n"
                  f"    .migrations = migrations, .migrations_count = {len(migrations)},\n}};\n")


if __name__ == "__main__":
    main()
