"""`loanpulse topics`: create them, look at them."""

import typer
from rich.table import Table

from loanpulse.commands import topics_admin
from loanpulse.commands.console import ConfigOption, configured, failures, out, print_table
from loanpulse.schemas import contracts
from loanpulse.schemas.registry import RegistryUnavailable, UnknownSchema, open_registry
from loanpulse.schemas.topics import TOPICS

app = typer.Typer(help="Create and list the topics of this deployment.", no_args_is_help=True)


@app.command()
def create(config: ConfigOption = None) -> None:
    """Create the topics that are missing; those that are there are left as they are."""
    settings = configured(config)
    with failures(topics_admin.BrokerUnreachableError):
        for name, created in topics_admin.create_topics(settings).items():
            out.print(f"{'created' if created else 'present':8} {name}", highlight=False)


@app.command()
def register(config: ConfigOption = None) -> None:
    """Register the contracts with the schema registry, under BACKWARD_TRANSITIVE compatibility."""
    settings = configured(config)
    if not settings.registry.url:
        out.print("There is no registry to register with (registry.url is empty): ids come from the contracts.")
        return
    with failures(RegistryUnavailable, UnknownSchema):
        registry = open_registry(settings.registry)
        for topic in TOPICS:
            if topic.contract is not None:
                subject = settings.topics.prefix + topic.subject
                schema_id = registry.register(subject, contracts.load(topic.contract))
                out.print(f"{schema_id:>8} {subject}", highlight=False)


@app.command("list")
def list_topics(config: ConfigOption = None) -> None:
    """List the topics: key, contract, partitions, how they are kept, what they carry."""
    settings = configured(config)
    table = Table("topic", "key", "contract", "partitions", "kept", "carries", box=None, header_style="bold")
    with failures(topics_admin.BrokerUnreachableError):
        for topic, partitions in topics_admin.describe_topics(settings):
            table.add_row(
                topic.name,
                topic.key,
                topic.contract.value if topic.contract else "-",
                "missing" if partitions is None else str(partitions),
                topic.cleanup_policy,
                topic.carries,
            )
    print_table(table)
