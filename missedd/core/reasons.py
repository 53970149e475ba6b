"""Why: every verdict, hold, drop and outcome names one of these, and `missedd why` prints its words."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Reason(StrEnum):
    """A named reason. The value is stored, counted and shown by the API; `words` is for people."""

    words: str

    def __new__(cls, slug: str, words: str = "") -> Reason:
        member = str.__new__(cls, slug)
        member._value_ = slug
        member.words = words
        return member

    # Verdicts
    FIRST_CALL = "first-call", "the campaign accepted no other call of the caller within its dedup window"
    NO_DEDUP_WINDOW = (
        "no-dedup-window",
        "the campaign has no dedup window, so each call of a caller is served by itself",
    )
    ALREADY_SEEN = "already-seen", "this CallSid was decided before; Exotel delivered it again"
    WITHIN_DEDUP_WINDOW = (
        "within-dedup-window",
        "the same caller was accepted by this campaign within its dedup window",
    )
    CALLER_SUPPRESSED = "caller-suppressed", "the number is on the suppression list"
    NO_SUCH_EXOPHONE = "no-such-exophone", "no campaign has this ExoPhone"
    WITHHELD_NUMBER = "withheld-number", "the call came without a usable caller's number"
    OUTBOUND_LEG = "outbound-leg", "it is a leg of an outgoing call"
    CONVERSATION = "conversation", "the call was answered"
    VOICEMAIL = "voicemail", "the caller left a voicemail"
    AGENT_EVENT = "agent-event", "it tells of an agent's phone, not of the end of a call"
    STILL_IN_PROGRESS = "still-in-progress", "the call has not ended"
    OTHER_PRODUCT = (
        "other-product",
        "the request comes from another Exotel product, which has the missed-call address by mistake",
    )
    OWN_NUMBER = "own-number", "the caller's number is an ExoPhone of this configuration"

    # Plans
    OWED = "owed", "owed for this call"
    OWED_AFTER_HOURS = "owed-after-hours", "owed for a call outside business hours"
    RECORDED_AT_ONCE = "recorded-at-once", "it contacts nobody, so it was recorded with the call"
    RETRY_UNANSWERED = "retry-unanswered", "the callback before it was not answered"
    RANG_BACK = "rang-back", "the caller rang back after a callback in which nobody talked with them"
    RESENT = "resent", "an operator asked for it to be sent again"

    # Lists
    SUBSCRIBED = "subscribed", "the number joined the list, with this call as the evidence"
    ALREADY_SUBSCRIBED = "already-subscribed", "the number was on the list already; that consent stays"
    WITHDRAWN_SINCE = (
        "withdrawn-since",
        "the number left the list after this call, which was told of later; the consent is kept as withdrawn",
    )
    UNSUBSCRIBED = "unsubscribed", "the number left the list"
    NOT_SUBSCRIBED = "not-subscribed", "the number was not on the list"
    SUBSCRIBED_SINCE = (
        "subscribed-since",
        "the number joined the list again after this call, which was told of later; it stays on it",
    )

    # Verifications
    AWAITING_CALL = "awaiting-call", "the number has not rung yet"
    VERIFIED = "verified", "the call proved the number"
    NOT_RUNG_IN_TIME = "not-rung-in-time", "the number did not ring before the verification expired"
    SUPERSEDED = "superseded", "another verification of the number was started before this one was proved"
    NO_VERIFICATION_PENDING = (
        "no-verification-pending",
        "the campaign waited for no call of this number",
    )
    VERIFICATION_EXPIRED = "verification-expired", "the verification that the call was meant for had ended"
    TOO_MANY_VERIFICATIONS = (
        "too-many-verifications",
        "the number's limit of verifications an hour is used up",
    )
    UNKNOWN_CAMPAIGN = "unknown-campaign", "no campaign has this name"
    VERIFIES_NOTHING = "verifies-nothing", "the campaign has no [campaign.verify]"

    # Votes
    VOTE_COUNTED = "vote-counted", "the vote counted when it came in"
    VOTE_REPLACES_EARLIER = "vote-replaces-earlier", "it took the place of the number's earlier vote"
    VOTE_PRECEDES_OTHER = (
        "vote-precedes-other",
        "it was told of late: made before a vote that counted, it took that one's place",
    )
    VOTE_SURPLUS = "vote-surplus", "the number's votes in the poll were used up; kept and not counted"
    VOTE_REPLACED = "vote-replaced", "a later vote of the number counts in its place; kept and not counted"
    POLL_NOT_OPEN = "poll-not-open", "the poll had not opened when the call was made; kept and not counted"
    POLL_CLOSED = "poll-closed", "the poll had closed when the call was made; kept and not counted"

    # Gates: holds
    BUSINESS_CLOSED = "business-closed", "it waits for the next opening hour"
    QUIET_HOURS = "quiet-hours", "promotional messages wait for the end of the quiet hours"
    NO_AGENT_ON_DUTY = "no-agent-on-duty", "none of the campaign's agents is on duty"
    CALLER_BEING_RUNG = (
        "caller-being-rung",
        "another call of ours to the caller is going on; it waits for the end of that call",
    )
    CALLS_AT_ONCE = "calls-at-once", "the campaign has as many callbacks going on as calls_at_once allows"
    CHANNELS_BUSY = "channels-busy", "the account has as many calls going on as it has channels"
    QUARANTINED = (
        "quarantined",
        "the database was restored from a backup, so it waits until an operator says `missedd release`",
    )
    RELEASED = "released", "an operator released it after a restore"
    CAMPAIGN_PAUSED = (
        "campaign-paused",
        "an operator paused the campaign: it waits for the end of that, or until it has grown too old",
    )
    RESUMED = "resumed", "an operator ended the campaign's pause"
    PROVIDER_BUSY = "provider-busy", "the provider refused for now; it will be tried again"
    PROVIDER_UNREACHABLE = (
        "provider-unreachable",
        "the provider cannot be reached, or answers with errors only: it waits until a request is taken "
        "again, or until it has grown too old",
    )
    PROVIDER_REACHABLE = "provider-reachable", "the provider takes requests again"

    # Gates: drops and expiries
    REACHED_OTHERWISE = "reached-otherwise", "the campaign has spoken with the caller since"
    ALREADY_OWED = "already-owed", "the campaign owes the caller another callback, for a later call"
    MAX_PER_HOUR = "max-per-hour", "the caller's limit of callbacks an hour is used up"
    SKIPPED_AFTER_HOURS = "skipped-after-hours", "the campaign makes no callbacks after hours"
    TOO_OLD = "too-old", "older than the campaign's give_up_after"
    SUPPRESSED_SINCE = "suppressed-since", "the number was suppressed after the call"
    FOREIGN_NUMBER = (
        "foreign-number",
        "the number is of a country that is left out: [contact] countries say who is contacted, those of "
        "[[poll]] whose votes count",
    )
    TAKES_NO_SMS = "takes-no-sms", "the number takes no SMS: it is a landline, or no subscriber has it"
    AGENT_IS_CALLER = "agent-is-caller", "the caller is the campaign's only agent"
    VOTE_NOT_COUNTED = "vote-not-counted", "the vote does not count, so no text confirms it"
    REFUSES_SMS = "refuses-sms", "the operators refuse SMS to this number (DND register, or opted out)"
    NO_LONGER_CONFIGURED = "no-longer-configured", "the campaign no longer asks for this action"
    TEMPLATE_MISMATCH = (
        "template-mismatch",
        "the text does not match its registered template, so the operators would drop it",
    )
    DROPPED_AT_RELEASE = "dropped-at-release", "an operator dropped it after a restore"

    # Results of an attempt
    PROVIDER_ACCEPTED = "provider-accepted", "the provider took it; waiting for its report"
    CONNECTION_FAILED = "connection-failed", "no connection to the provider; nothing was sent"
    RATE_LIMITED = "rate-limited", "the provider's rate limit was reached"
    PROVIDER_REFUSED = "provider-refused", "the provider refused the request for good"
    PROVIDER_AUTH = "provider-auth", "the provider refused our credentials"
    DO_NOT_DISTURB = "do-not-disturb", "the number is on the Do Not Disturb register"
    ACCOUNT_PROBLEM = "account-problem", "the provider's account cannot do this (balance, KYC, plan)"
    REPLY_LOST = "reply-lost", "the request was sent and its answer never came; it will be looked up"
    STOPPED_IN_FLIGHT = (
        "stopped-in-flight",
        "the daemon stopped while the request was in flight; it will be looked up",
    )
    NOT_FOUND = "not-found", "the provider's list shows no such call or SMS; it is not sent again blindly"
    NO_REPORT = "no-report", "the provider never said what became of it"
    ENDPOINT_REFUSED = "endpoint-refused", "the application answered with an error"
    ENDPOINT_FAILED = "endpoint-failed", "the application did not answer"
    RETRIES_EXHAUSTED = "retries-exhausted", "every try failed; it is parked for an operator to resend"

    # Outcomes
    CUSTOMER_ANSWERED = "customer-answered", "the customer answered"
    CUSTOMER_NO_ANSWER = "customer-no-answer", "the customer did not answer"
    CUSTOMER_BUSY = "customer-busy", "the customer was busy"
    CALL_FAILED = "call-failed", "the call could not be completed"
    AGENT_BUSY = "agent-busy", "the agent's phone was busy"
    AGENT_NO_ANSWER = "agent-no-answer", "the agent did not answer"
    AGENT_FAILED = "agent-failed", "the agent's phone could not be reached"
    ANSWERED_BY_MACHINE = "answered-by-machine", "a machine answered, so nobody was spoken with"
    SMS_DELIVERED = "sms-delivered", "the SMS was delivered"
    SMS_FAILED = "sms-failed", "the operator did not deliver the SMS"
    SMS_MISCONFIGURED = (
        "sms-misconfigured",
        "the operators refuse every such SMS until somebody corrects its sender, entity or template",
    )
    HANDED_TO_APPLET = "handed-to-applet", "the SMS applet of the call's flow asked for the text first"
    WEBHOOK_DELIVERED = "webhook-delivered", "the application took the webhook"
    SETTLED_BY_OPERATOR = "settled-by-operator", "an operator ended the search for it and said how it ended"


ANSWERED_REASONS: Final = (Reason.CONVERSATION, Reason.VOICEMAIL)
"""What is said of a call for good: somebody talked to the caller, or has a message of theirs."""

EARLY_WEBHOOK_ADVICE: Final = (
    "your flow tells of the call before it is over: put the Passthru behind the Connect"
)
"""What a person has to do where a callback went out for a call that was taken after all."""

ACCOUNT_REFUSALS: Final = (Reason.PROVIDER_AUTH, Reason.ACCOUNT_PROBLEM)
"""Refusals that have nothing to do with what was asked for: all of it is refused until a person acts."""

LANE_HOLD_REASONS: Final = (Reason.PROVIDER_UNREACHABLE, *ACCOUNT_REFUSALS)
"""Why actions wait for the provider, or the account, and not for anything of their own."""


AGENT_MISS_REASONS: Final = (Reason.AGENT_BUSY, Reason.AGENT_NO_ANSWER, Reason.AGENT_FAILED)
"""With these a callback `failed` before the caller's telephone rang: it was no try to reach them."""


def describe_reason(reason: str) -> str:
    """A reason in words; one of a later version stands for itself."""
    try:
        return Reason(reason).words
    except ValueError:
        return reason
