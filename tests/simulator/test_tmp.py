import pytest, trio, json
from simulator.people import *
@pytest.mark.trio
async def test_x(bench):
    r = await bench.connect(StatusCallback="http://d/x?y=1", MaxRetries="0")
    print(r.text)
    r = await bench.connect_two(**{"StatusCallback":"http://d/x?y=1", "StatusCallbackEvents[0]":"terminal","StatusCallbackEvents[1]":"answered"})
    bench.exchange.ring_in("+919800000000", shape="both")
    r=await bench.sms(StatusCallback="http://d/sms", CustomField="x")
    print(r.text)
    await trio.sleep(400)
    for p in bench.posted: print(p)
    print((await bench.client.get("Calls")).text)
    print((await bench.client.get("Calls.json?PageSize=2&details=true")).text)
    print((await bench.client.get("SMS/Messages/xx")).text)
    print((await bench.client.get("IncomingPhoneNumbers")).text)
    print(json.dumps(bench.exchange.truth.as_json(), indent=1)[:1500])
