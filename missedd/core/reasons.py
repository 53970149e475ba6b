"""The named reasons: each verdict, hold, drop and outcome has one, and `missedd why` prints its words."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Reason(StrEnum):
    """A named reason. The database, the metrics and the API hold the value; `words` is for people."""

    words: str

    def __new__(cls, slug: str, words: str = "") -> Reason:
        member = str.__new__(cls, slug)
        member._value_ = slug
        member.words = words
        return member

    # Verdicts
    FIRST_CALL = "first-call", "the campaign accepted no other call from this caller within its dedup window"
    NO_DEDUP_WINDOW = (
        "no-dedup-window",
        "the campaign has no dedup window, so every call from a caller is served",
    )
    ALREADY_SEEN = "already-seen", "this CallSid was decided before; Exotel delivered it again"
    WITHIN_DEDUP_WINDOW = (
        "within-dedup-window",
        "the campaign accepted another call from this caller within its dedup window",
    )
    CALLER_SUPPRESSED = "caller-suppressed", "the number is on the suppression list"
    NO_SUCH_EXOPHONE = "no-such-exophone", "no campaign has this ExoPhone"
    WITHHELD_NUMBER = "withheld-number", "the call has no usable caller number"
    OUTBOUND_LEG = "outbound-leg", "this is a leg of an outgoing call"
    CONVERSATION = "conversation", "the call was answered"
    VOICEMAIL = "voicemail", "the caller left a voicemail"
    AGENT_EVENT = "agent-event", "the event is about an agent's phone, not about the end of the call"
    STILL_IN_PROGRESS = "still-in-progress", "the call has not ended"
    OTHER_PRODUCT = (
        "other-product",
        "the request comes from another Exotel product, where the missed-call URL was entered by mistake",
    )
    OWN_NUMBER = "own-number", "the caller's number is an ExoPhone of this configuration"

    # Plans
    OWED = "owed", "owed for this call"
    OWED_AFTER_HOURS = "owed-after-hours", "owed for this call, which came outside business hours"
    RECORDED_AT_ONCE = "recorded-at-once", "recorded with the call, because nobody has to be contacted"
    RETRY_UNANSWERED = "retry-unanswered", "the previous callback was not answered"
    RANG_BACK = "rang-back", "the caller rang back after a callback in which nobody spoke with them"
    RESENT = "resent", "an operator sent the webhook again"

    # Lists
    SUBSCRIBED = "subscribed", "the number joined the list; this call is the evidence of its consent"
    ALREADY_SUBSCRIBED = "already-subscribed", "the number was on the list already; the earlier consent stays"
    WITHDRAWN_SINCE = (
        "withdrawn-since",
        "the number left the list after this call, which was delivered late; the consent is withdrawn",
    )
    UNSUBSCRIBED = "unsubscribed", "the number left the list"
    NOT_SUBSCRIBED = "not-subscribed", "the number was not on the list"
    SUBSCRIBED_SINCE = (
        "subscribed-since",
        "the number joined the list again after this call, which was delivered late; it stays on the list",
    )

    # Verifications
    AWAITING_CALL = "awaiting-call", "the number has not called yet"
    VERIFIED = "verified", "the call proved the number"
    NOT_RUNG_IN_TIME = "not-rung-in-time", "the number did not call before the verification expired"
    SUPERSEDED = "superseded", "another verification of the number was started before a call proved this one"
    NO_VERIFICATION_PENDING = (
        "no-verification-pending",
        "no verification of this number was waiting for a call to the campaign",
    )
    VERIFICATION_EXPIRED = "verification-expired", "the verification had already ended when the call came"
    TOO_MANY_VERIFICATIONS = (
        "too-many-verifications",
        "the number has reached its limit of verifications per hour",
    )
    UNKNOWN_CAMPAIGN = "unknown-campaign", "no campaign has this name"
    VERIFIES_NOTHING = "verifies-nothing", "the campaign has no [campaign.verify]"

    # Votes
    VOTE_COUNTED = "vote-counted", "the vote counted when it came in"
    VOTE_REPLACES_EARLIER = "vote-replaces-earlier", "the vote replaces the number's earlier vote"
    VOTE_PRECEDES_OTHER = (
        "vote-precedes-other",
        "the call was delivered late; the vote was made earlier than a counted vote and replaces that vote",
    )
    VOTE_SURPLUS = (
        "vote-surplus",
        "the number had no votes left in the poll; the vote is kept but not counted",
    )
    VOTE_REPLACED = (
        "vote-replaced",
        "a later vote of the number counts instead; this vote is kept but not counted",
    )
    POLL_NOT_OPEN = "poll-not-open", "the call came before the poll opened; the vote is kept but not counted"
    POLL_CLOSED = "poll-closed", "the call came after the poll closed; the vote is kept but not counted"

    # Gates: holds
    BUSINESS_CLOSED = "business-closed", "it waits until the business opens"
    QUIET_HOURS = "quiet-hours", "promotional messages wait for the end of the quiet hours"
    NO_AGENT_ON_DUTY = "no-agent-on-duty", "no agent of the campaign is on duty"
    CALLER_BEING_RUNG = (
        "caller-being-rung",
        "we are already calling this caller; it waits until that call ends",
    )
    CALLS_AT_ONCE = (
        "calls-at-once",
        "the campaign already has as many callbacks in progress as calls_at_once allows",
    )
    CHANNELS_BUSY = "channels-busy", "all channels of the account are in use"
    QUARANTINED = (
        "quarantined",
        "the database was restored from a backup; it waits until an operator runs `missedd release`",
    )
    RELEASED = "released", "an operator released it after a restore"
    CAMPAIGN_PAUSED = (
        "campaign-paused",
        "an operator paused the campaign; it waits until the pause ends, or until it is too old",
    )
    RESUMED = "resumed", "an operator resumed the campaign"
    PROVIDER_BUSY = "provider-busy", "the provider refused for now; it will be tried again"
    PROVIDER_UNREACHABLE = (
        "provider-unreachable",
        "the provider cannot be reached, or answers only with errors; it waits until the provider accepts "
        "a request again, or until it is too old",
    )
    PROVIDER_REACHABLE = "provider-reachable", "the provider accepts requests again"

    # Gates: drops and expiries
    REACHED_OTHERWISE = "reached-otherwise", "the campaign has spoken with the caller since this call"
    ALREADY_OWED = "already-owed", "the campaign owes the caller a callback for a later call instead"
    MAX_PER_HOUR = "max-per-hour", "the caller has reached the limit of callbacks per hour"
    SKIPPED_AFTER_HOURS = "skipped-after-hours", "the campaign makes no callbacks after hours"
    TOO_OLD = "too-old", "older than the campaign's give_up_after"
    SUPPRESSED_SINCE = "suppressed-since", "the number was suppressed after the call"
    FOREIGN_NUMBER = (
        "foreign-number",
        "the number belongs to a country that is not allowed: `countries` of [contact] decides who is "
        "contacted, `countries` of [[poll]] decides whose votes count",
    )
    TAKES_NO_SMS = (
        "takes-no-sms",
        "the number cannot receive SMS: it is a landline, or nobody has this number",
    )
    AGENT_IS_CALLER = "agent-is-caller", "the caller is the campaign's only agent"
    VOTE_NOT_COUNTED = "vote-not-counted", "the vote does not count, so no SMS confirms it"
    REFUSES_SMS = "refuses-sms", "the mobile operators refuse SMS to this number (DND register, or opted out)"
    NO_LONGER_CONFIGURED = "no-longer-configured", "the campaign no longer asks for this action"
    TEMPLATE_MISMATCH = (
        "template-mismatch",
        "the text does not match its registered template, so the mobile operators would drop the SMS",
    )
    DROPPED_AT_RELEASE = "dropped-at-release", "an operator dropped it after a restore"

    # Results of an attempt
    PROVIDER_ACCEPTED = "provider-accepted", "the provider accepted the request; its status report is awaited"
    CONNECTION_FAILED = "connection-failed", "there was no connection to the provider; nothing was sent"
    RATE_LIMITED = "rate-limited", "the provider's rate limit was reached"
    PROVIDER_REFUSED = "provider-refused", "the provider refused the request; it will not be tried again"
    PROVIDER_AUTH = "provider-auth", "the provider refused our credentials"
    DO_NOT_DISTURB = "do-not-disturb", "the number is on the Do Not Disturb register"
    ACCOUNT_PROBLEM = "account-problem", "the provider's account cannot do this (balance, KYC, plan)"
    REPLY_LOST = "reply-lost", "the request was sent but no answer came; the result will be looked up"
    STOPPED_IN_FLIGHT = (
        "stopped-in-flight",
        "the daemon stopped while the request was in flight; the result will be looked up",
    )
    GIVEN_BACK = (
        "given-back",
        "nothing was sent, as the claim was too old or another node may lead; it is tried again",
    )
    NOT_FOUND = (
        "not-found",
        "the provider's list has no such call or SMS; it is not sent again, to avoid sending it twice",
    )
    NO_REPORT = "no-report", "the provider never reported the result"
    ENDPOINT_REFUSED = "endpoint-refused", "the application answered with an error"
    ENDPOINT_FAILED = "endpoint-failed", "the application did not answer"
    RETRIES_EXHAUSTED = "retries-exhausted", "every attempt failed; an operator can resend the webhook"

    # Outcomes
    CUSTOMER_ANSWERED = "customer-answered", "the customer answered"
    CUSTOMER_NO_ANSWER = "customer-no-answer", "the customer did not answer"
    CUSTOMER_BUSY = "customer-busy", "the customer was busy"
    CALL_FAILED = "call-failed", "the call could not be completed"
    AGENT_BUSY = "agent-busy", "the agent's phone was busy"
    AGENT_NO_ANSWER = "agent-no-answer", "the agent did not answer"
    AGENT_FAILED = "agent-failed", "the agent's phone could not be reached"
    ANSWERED_BY_MACHINE = "answered-by-machine", "a machine answered, so nobody spoke with the caller"
    SMS_DELIVERED = "sms-delivered", "the SMS was delivered"
    SMS_FAILED = "sms-failed", "the mobile operator did not deliver the SMS"
    SMS_MISCONFIGURED = (
        "sms-misconfigured",
        "the mobile operators refuse every such SMS until its sender, entity or template is corrected",
    )
    HANDED_TO_APPLET = "handed-to-applet", "the SMS applet in the call's flow fetched the text first"
    WEBHOOK_DELIVERED = "webhook-delivered", "the application accepted the webhook"
    SETTLED_BY_OPERATOR = "settled-by-operator", "an operator ended the lookup and entered the outcome"


ANSWERED_REASONS: Final = (Reason.CONVERSATION, Reason.VOICEMAIL)
"""Final for a call: somebody spoke with the caller, or the caller left a message."""

EARLY_WEBHOOK_ADVICE: Final = (
    "your flow reports the call before it ends: put the Passthru applet after the Connect applet"
)
"""What a person has to do if a callback went out for a call that was answered later."""

ACCOUNT_REFUSALS: Final = (Reason.PROVIDER_AUTH, Reason.ACCOUNT_PROBLEM)
"""Refusals that concern the whole account: the provider refuses every request until a person acts."""

LANE_HOLD_REASONS: Final = (Reason.PROVIDER_UNREACHABLE, *ACCOUNT_REFUSALS)
"""Reasons why actions wait for the provider or the account; the actions themselves could go."""


AGENT_MISS_REASONS: Final = (Reason.AGENT_BUSY, Reason.AGENT_NO_ANSWER, Reason.AGENT_FAILED)
"""With one of these a callback ended as `failed` before the caller's phone rang, so it does not count as a
try to reach the caller."""


def describe_reason(reason: str) -> str:
    """The words of a reason. A name that this version does not know is returned as it is."""
    try:
        return Reason(reason).words
    except ValueError:
        return reason
