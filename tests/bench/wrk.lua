-- wrk's side of a measurement. TARGET is a path in which @eid and @division are drawn anew for each request;
-- TOKEN is the bearer token, BODY what is posted, with the same marks. Ends with one line of JSON.
local target = os.getenv("TARGET")
local body = os.getenv("BODY")
local headers = { ["Authorization"] = "Bearer " .. os.getenv("TOKEN") }
if body then headers["Content-Type"] = "application/json" end
local divisions = "ABCDEFGHIJKL"

math.randomseed(42)

local draw = {
	eid = function() return tostring(math.random(1, 100000)) end,
	division = function()
		local i = math.random(1, #divisions)
		return divisions:sub(i, i)
	end,
}

request = function()
	local function fill(text)
		return text and text:gsub("@(%l+)", function(name) return draw[name]() end) or nil
	end
	return wrk.format(body and "POST" or "GET", fill(target), headers, fill(body))
end

done = function(summary, latency)
	local e = summary.errors
	io.write(string.format(
		'\n{"requests":%d,"seconds":%.6f,"p50":%.3f,"p99":%.3f,"max":%.3f,"errors":%d,"bytes":%d}\n',
		summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
		latency.max / 1e3, e.status + e.connect + e.read + e.write + e.timeout, summary.bytes))
end
