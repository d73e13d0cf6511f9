"""The configuration: origins, one-sentence errors, masked secrets, and security that reaches every client."""

from pathlib import Path

import certifi
import pytest

from loanpulse.settings import Settings, SettingsError, load, load_with_origins
from loanpulse.settings.broker import consumer_properties, faust_security, librdkafka_properties, producer_properties
from loanpulse.settings.renamed import RENAMED


def test_the_environment_wins_over_the_file_and_the_file_over_defaults(tmp_path: Path) -> None:
    file = tmp_path / "loanpulse.toml"
    file.write_text('[topics]\npartitions = 4\nprefix = "a-"\n')
    loaded = load_with_origins(file, {"LOANPULSE_TOPICS__PARTITIONS": "12"})
    assert (loaded.settings.topics.partitions, loaded.settings.topics.prefix) == (12, "a-")
    origins = {origin.key: origin.origin for origin in loaded.origins}
    assert origins["topics.partitions"] == "LOANPULSE_TOPICS__PARTITIONS"
    assert origins["topics.prefix"] == str(file)
    assert origins["topics.replication_factor"] == "default"


def test_every_setting_says_what_it_is_for() -> None:
    assert all(len(origin.description) > 10 for origin in load_with_origins(environment={}).origins)


def test_secrets_are_masked() -> None:
    loaded = load_with_origins(environment={"LOANPULSE_WAREHOUSE__PASSWORD": "hunter2"})
    assert "hunter2" not in repr(loaded)
    assert loaded.settings.warehouse.password.get_secret_value() == "hunter2"


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("STREAMS__SCORING_INTERVAL_SECONDS", "-1", ("streams.scoring_interval_seconds", "greater than 0")),
        ("STREAMS__INTERVAL", "1", ("streams.interval", "scoring_interval_seconds")),
        ("BROKER__PROFILE", "big", ("broker.profile", "'kafka' or 'embedded'")),
        ("BROKER__SECURITY_PROTOCOL", "SASL_SSL", ("SASL_SSL", "sasl_username")),
        ("BROKER__SSL_CA_LOCATION", "/nowhere.pem", ("ssl_ca_location", "/nowhere.pem")),
        ("TOPICS__LENDERS", "a b", ("topics.lenders",)),
        ("NOWHERE__KEY", "1", ("nowhere", "broker")),
    ],
)
def test_a_mistake_is_one_sentence_with_the_key(key: str, value: str, words: tuple[str, ...]) -> None:
    with pytest.raises(SettingsError) as caught:
        load(environment={f"LOANPULSE_{key}": value})
    text = str(caught.value)
    assert all(word in text for word in words), text
    assert "\n" not in text
    assert text.endswith(".")


def test_a_wrong_password_is_never_shown() -> None:
    with pytest.raises(SettingsError) as caught:
        load(environment={"LOANPULSE_WAREHOUSE__PASSWORD": "hunter2", "LOANPULSE_WAREHOUSE__PORT": "x"})
    assert "hunter2" not in str(caught.value)


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_text("[topics")
    with pytest.raises(SettingsError, match="not TOML"):
        load(tmp_path / "bad.toml", {})
    with pytest.raises(SettingsError, match="can't be read"):
        load(tmp_path / "none.toml", {})


def test_tls_and_sasl_reach_every_client() -> None:
    ca = Path(certifi.where())
    settings = load(
        environment={
            "LOANPULSE_BROKER__SECURITY_PROTOCOL": "SASL_SSL",
            "LOANPULSE_BROKER__SASL_MECHANISM": "SCRAM-SHA-512",
            "LOANPULSE_BROKER__SASL_USERNAME": "worker",
            "LOANPULSE_BROKER__SASL_PASSWORD": "secret",
            "LOANPULSE_BROKER__SSL_CA_LOCATION": str(ca),
        }
    )
    for properties in (
        librdkafka_properties(settings),
        producer_properties(settings),
        consumer_properties(settings, "group"),
    ):
        assert properties["security.protocol"] == "SASL_SSL"
        assert properties["sasl.mechanism"] == "SCRAM-SHA-512"
        assert properties["sasl.password"] == "secret"
        assert properties["ssl.ca.location"] == str(ca)
    security = faust_security(settings)
    assert security.ssl_context is not None
    assert (security.mechanism, security.username, security.password) == ("SCRAM-SHA-512", "worker", "secret")


def test_faust_gets_the_same_security() -> None:
    from loanpulse.streams.faust_kafka.settings import faust_settings

    settings = load(
        environment={
            "LOANPULSE_BROKER__SECURITY_PROTOCOL": "SASL_PLAINTEXT",
            "LOANPULSE_BROKER__SASL_MECHANISM": "PLAIN",
            "LOANPULSE_BROKER__SASL_USERNAME": "worker",
            "LOANPULSE_BROKER__SASL_PASSWORD": "secret",
        }
    )
    credentials = faust_settings(settings)["broker_credentials"]
    assert (credentials.username, credentials.password) == ("worker", "secret")


def test_a_file_that_is_no_certificate_is_told_by_its_key(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("not PEM")
    settings = load(
        environment={
            "LOANPULSE_BROKER__SECURITY_PROTOCOL": "SSL",
            "LOANPULSE_BROKER__SSL_CA_LOCATION": str(tmp_path / "ca.pem"),
        }
    )
    with pytest.raises(SettingsError, match=r"broker\.ssl_ca_location"):
        faust_security(settings)


def test_every_old_key_means_its_new_name() -> None:
    for section, keys in RENAMED.items():
        known = set(type(getattr(Settings(), section)).model_fields)
        assert set(keys.values()) <= known
        assert not set(keys) & known


def test_an_old_key_of_the_file_is_accepted_with_a_warning(tmp_path: Path) -> None:
    file = tmp_path / "loanpulse.toml"
    file.write_text("[streams]\nrestate_days = 3\n[warehouse]\nbatch_seconds = 2.5\n")
    loaded = load_with_origins(file, {})
    assert loaded.settings.streams.restatement_days == 3
    assert loaded.settings.warehouse.max_batch_age_seconds == 2.5
    assert {origin.key: origin.origin for origin in loaded.origins}["streams.restatement_days"] == str(file)
    assert loaded.warnings == (
        f"streams.restate_days (from {file}) was renamed to streams.restatement_days; "
        "the next version rejects the old name.",
        f"warehouse.batch_seconds (from {file}) was renamed to warehouse.max_batch_age_seconds; "
        "the next version rejects the old name.",
    )


def test_an_old_variable_is_accepted_with_a_warning_that_names_the_new_variable() -> None:
    variables = {"LOANPULSE_STREAMS__WAITING_EVENTS": "1000"}
    with pytest.warns(FutureWarning, match="LOANPULSE_STREAMS__MAX_BUFFERED_EVENTS_PER_SOURCE") as caught:
        settings = load(environment=variables)
    assert len(caught) == 1
    assert settings.streams.max_buffered_events_per_source == 1000


def test_the_new_name_wins_over_the_old_one_wherever_each_is_set(tmp_path: Path) -> None:
    file = tmp_path / "loanpulse.toml"
    file.write_text('[streams]\nconsumer_group = "new"\n')
    loaded = load_with_origins(file, {"LOANPULSE_STREAMS__GROUP": "old"})
    assert loaded.settings.streams.consumer_group == "new"
    assert loaded.warnings == (
        "LOANPULSE_STREAMS__GROUP is ignored: it is the old name of LOANPULSE_STREAMS__CONSUMER_GROUP, "
        "which is set too.",
    )


def test_a_wrong_value_under_an_old_key_names_the_new_key_and_where_it_was_set() -> None:
    with pytest.raises(SettingsError, match=r"^streams\.restatement_days .*LOANPULSE_STREAMS__RESTATE_DAYS"):
        load(environment={"LOANPULSE_STREAMS__RESTATE_DAYS": "-1"})
