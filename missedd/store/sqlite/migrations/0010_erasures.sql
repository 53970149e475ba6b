-- Every number that was erased, without the number: its rows bear `erased:` and this id in its place.
CREATE TABLE erasures (
    id    INTEGER PRIMARY KEY,
    at    INTEGER NOT NULL,
    cause TEXT    NOT NULL                    -- operator | retention
) STRICT;

-- An erased caller stays the same caller, by the same small id: a call that only bears another name for
-- them changes no sum and belongs into no other set.
DROP TRIGGER calls_leave;
CREATE TRIGGER calls_leave BEFORE UPDATE OF campaign, caller, called_at, verdict, reason, shape ON calls
WHEN OLD.id <= (SELECT last_call FROM summary)
 AND (coalesce(NEW.caller, '') NOT GLOB 'erased:*'
      OR (OLD.campaign, OLD.called_at, OLD.verdict, OLD.reason, OLD.shape)
         IS NOT (NEW.campaign, NEW.called_at, NEW.verdict, NEW.reason, NEW.shape))
BEGIN INSERT INTO changes VALUES ('call', OLD.id, -1); END;
DROP TRIGGER calls_enter;
CREATE TRIGGER calls_enter AFTER UPDATE OF campaign, caller, called_at, verdict, reason, shape ON calls
WHEN NEW.id <= (SELECT last_call FROM summary)
 AND (coalesce(NEW.caller, '') NOT GLOB 'erased:*'
      OR (OLD.campaign, OLD.called_at, OLD.verdict, OLD.reason, OLD.shape)
         IS NOT (NEW.campaign, NEW.called_at, NEW.verdict, NEW.reason, NEW.shape))
BEGIN INSERT INTO changes VALUES ('call', NEW.id, 1); END;
