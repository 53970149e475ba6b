-- Missed calls for wrk, each a different one: native form, every fifth by somebody who rang before.
-- The widths are constant, so that the head is made once.

local head, sid, first, calls = "", "", 0, 0

local function body(call, caller)
   -- wrk's clock is UTC; Exotel writes IST.
   local at = os.date("!%Y-%m-%d+%H%%3A%M%%3A%S", os.time() + 19800)
   return string.format(
      "CallSid=%s%012dbench&From=+91%010d&To=+918047120001&Status=missed-call&DateCreated=%s",
      sid, call, caller, at)
end

function init(arguments)
   local run = tonumber(arguments[2])
   sid = string.format("%015.0f", run)
   first = 6000000000 + (run * 7919) % 3000000000
   math.randomseed(run)
   head = "POST " .. arguments[1] .. " HTTP/1.1\r\nhost: 127.0.0.1\r\n" ..
      "content-type: application/x-www-form-urlencoded\r\n" ..
      "content-length: " .. #body(0, first) .. "\r\n\r\n"
end

function request()
   calls = calls + 1
   local caller = first + calls
   if calls % 5 == 0 then
      caller = first + math.random(calls)
   end
   return head .. body(calls, caller)
end

function done(summary, latency)
   local errors = summary.errors
   io.write(string.format(
      "\nFIGURES %d %d %d %d %d\n", summary.requests, summary.duration,
      errors.connect + errors.read + errors.write + errors.timeout, errors.status, latency:percentile(99)))
end
