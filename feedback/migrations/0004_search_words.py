"""The search index: words by prediction, in what each database has for it."""

from django.db import migrations, models

POSTGRESQL = [
    """
    CREATE TABLE feedback_searchwords (
        prediction_id bigint PRIMARY KEY, project_id bigint NOT NULL, words tsvector NOT NULL
    )
    """,
    "CREATE INDEX feedback_searchwords_words ON feedback_searchwords USING gin (words)",
]
# Every sign beyond ASCII is part of a word: what parts words is decided in search_words.py.
SQLITE = [
    """
    CREATE VIRTUAL TABLE feedback_searchwords USING fts5(
        words, project_id UNINDEXED, tokenize = 'ascii'
    )
    """
]


def make(apps, schema_editor):
    for statement in POSTGRESQL if schema_editor.connection.vendor == "postgresql" else SQLITE:
        schema_editor.execute(statement)


def drop(apps, schema_editor):
    schema_editor.execute("DROP TABLE feedback_searchwords")


class Migration(migrations.Migration):
    dependencies = [("feedback", "0003_imports_and_search")]

    operations = [
        migrations.AddField("searchmark", "filled_to", models.BigIntegerField(default=0)),
        migrations.AddField("searchmark", "scanned_at", models.DateTimeField(null=True)),
        migrations.RunPython(make, drop),
    ]
