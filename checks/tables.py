"""What every table of the warehouse owes."""

from loanpulse.schemas.topics import TOPICS
from loanpulse.settings.model import RetentionSection
from loanpulse.sinks.tables import ORIGIN, TopicTable


def check_topic_is_in_the_catalogue(table: TopicTable) -> None:
    """It is fed by a topic that exists, of the same contract."""
    fed = [topic for topic in TOPICS if topic.name == table.topic]
    assert fed, f"{table.name}: {table.topic} is no topic"
    assert fed[0].contract is table.contract, f"{table.name}: its contract is not the topic's"


def check_texts(table: TopicTable) -> None:
    """Table and columns say what they hold."""
    assert table.comment[:1].isupper(), f"{table.name}: comment it, with a capital letter"
    silent = [column.name for column in table.columns if not column.comment.strip()]
    assert not silent, f"{table.name}: comment {', '.join(silent)}"


def check_order_is_a_key(table: TopicTable) -> None:
    """Rows are ordered by columns that exist and are never null, because equal ones replace each other."""
    columns = {column.name: column for column in table.columns}
    for name in table.order_by:
        assert name in columns, f"{table.name}: ORDER BY {name} is no column"
        assert "Nullable" not in columns[name].kind, f"{table.name}: fill {name} where it is null (``filled``)"


def check_partition_is_by_month_of_a_column(table: TopicTable) -> None:
    """A partition is a month, so that old ones can be dropped whole."""
    column = table.partition_by.removeprefix("toYYYYMM(").removesuffix(")")
    assert column in {one.name for one in table.columns}, f"{table.name}: {table.partition_by} names no column"


def check_rows_name_their_record(table: TopicTable) -> None:
    """Its last columns say from which record a row came and when it was loaded."""
    assert table.columns[-len(ORIGIN) :] == ORIGIN, f"{table.name}: end it with ORIGIN"


def check_retention_is_configured(table: TopicTable) -> None:
    """The configuration says how long its rows are kept."""
    assert table.name in RetentionSection().days(), f"{table.name}: add it to [retention] in settings/model.py"
