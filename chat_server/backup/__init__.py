"""Backup, restore, and moving between database engines: what the command line does to whole data folders.

    <target>/blobs/<org_id>/<first two of sha256>/<sha256>[.<key>.age]    bytes by content, shared by all snapshots
    <target>/snapshots/<UTC time>/database.sqlite[.age]                   the database, always a SQLite file
    <target>/snapshots/<UTC time>/blobs.txt                               every blob that the database names
    <target>/snapshots/<UTC time>/manifest.json                           comes last, by rename: without it, half done

`taking` makes a snapshot, `checking` reads one wholly, `restoring` puts one into a data folder. Everything here blocks
and runs in a process of its own, at low priority: the server goes on beside it.
"""
