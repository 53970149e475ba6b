"""The settings of the account and the exchange. Every value may change during a run."""

from __future__ import annotations

from dataclasses import dataclass

from simulator.exchange.model.dlt_variables import registration_error


@dataclass(frozen=True, slots=True)
class DltTemplate:
    """A text registered under India's DLT rules, with its variables such as `{#var#}` or `{#numeric#}`.

    Raises ValueError for a text that the registry does not take.
    """

    entity_id: str
    template_id: str
    text: str

    def __post_init__(self) -> None:
        if mistake := registration_error(self.text):
            raise ValueError(f"text {mistake}")


@dataclass(slots=True)
class ExchangeSettings:
    """One account and the exchange's manners towards it. Durations in seconds, numbers E.164."""

    account_sid: str = "example1"
    api_key: str = "simkey"
    api_token: str = "simtoken"  # noqa: S105 (opens nothing but a simulator)
    exophones: tuple[str, ...] = ("+918047120001",)
    forbidden_caller_ids: tuple[str, ...] = ()
    """ExoPhones that ring for the account and may not call for it: such an order is refused with 403."""

    missed_call_url: str | None = None
    """Where missed calls are reported; an existing query is kept."""
    sms_text_url: str | None = None
    """Where the dynamic SMS applet fetches its text; None if the flow has no such applet."""
    applet_wait_s: float = 0.0
    """Seconds that a flow takes from one applet to the next."""
    inbound_agent: str = "+919899999999"
    """Whose telephone the Connect applet of an incoming flow rings, who is then on the telephone."""
    flow_passthru_url: str | None = None
    """A Passthru at the end of outbound flows, which alone tells their outcome; None for none."""

    calls_per_minute: int = 200
    """Voice requests of every kind in any 60 seconds; beyond it 429."""
    channels: int | None = None
    """Calls of the account that may go on at once; None for no limit. Beyond it callers hear the engaged
    tone, and a request for a call is refused."""
    channels_full_status: int = 429
    """With which status it is refused. That it is refused is documented, with what is not."""
    whitelists_callers: bool = True
    """Whether somebody on the do-not-disturb register may be called because they rang an ExoPhone."""
    sms_per_minute: int = 200
    sms_overload_status: int = 503
    """503 (code 40405) or 429 (code 40402)."""
    retry_after_s: int | None = None
    """Sent with a 429 if set. Exotel is not known to send it."""
    api_latency_s: float = 0.25
    """Seconds from the effect of a request to its answer; 270 ms were seen once."""

    details_delay_s: float = 120.0
    """How long after its end a call's details stay unfinished."""
    sid_visible_after_s: float = 0.0
    """How long a new call cannot be found by its Sid or in the list."""
    report_delay_s: float = 1.0
    """Seconds from an event to its status report."""
    recording_absent_rate: float = 0.5
    """How many reports of unanswered calls lack `RecordingUrl` altogether."""
    report_legs: bool = True
    """Whether reports of a call between two numbers name its legs."""
    details_legs: bool = True
    """Whether Call Details name the legs."""
    flow_legs: bool = False
    """Whether a flow's report is as long as that of two numbers, with one leg."""
    flow_always_completed: bool = False
    """Whether a call to a flow is told as `completed` though nobody took it; its leg says how it went."""
    human_word: str = "NA"
    """`AnsweredBy` where somebody took a call: `NA`, `Human` and `HUMAN` are documented."""
    machine_word: str = "Machine"
    """The same where an answering machine did."""
    webhook_timeout_s: float = 15.0
    webhook_retry_waits_s: tuple[float, ...] = (300.0, 900.0)
    """Waits before each further try of a webhook that did not get its 2xx."""

    ring_timeout_s: float = 30.0
    """How long a leg rings where the request has no `TimeOut`."""
    redial_wait_s: float = 10.0
    """From an unanswered first leg to Exotel's own next try of it."""
    sms_step_s: float = 2.0
    """Seconds between the states of an SMS."""
    templates: tuple[DltTemplate, ...] = ()
    """Registered texts. While there are none, texts go out unchecked."""
    strict_alphanumeric: bool = False
    """Whether `{#alphanumeric#}` holds nothing but letters, digits and blanks; portals differ."""
    last_to_wins: bool = False
    """Of a repeated `To` of an SMS only the last counts, as undocumented as its opposite."""
    senders: tuple[str, ...] = ()
    """Registered sender ids. While there are none, any is taken."""
