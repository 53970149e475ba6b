-- What is refused until a person acts: texts that the operators take for wrong, and an account that the
-- provider refuses altogether. Next to nothing is in these unless something is broken.
CREATE INDEX actions_misconfigured ON actions (closed_at, campaign, code) WHERE reason = 'sms-misconfigured';
CREATE INDEX attempts_refused ON attempts (started_at) WHERE reason IN ('provider-auth', 'account-problem');
