# ruff: noqa: E501 - header lines are as long as clients send them
"""Handshakes and requests as real clients and proxies send them, byte for byte but for addresses, keys and tokens.

From their sources and documents. `{authority}` is the address of the server, `{path}` a path with a token, `{body}`
the login of a user and `{length}` its length. The first lines are written by every client alike.
"""

KEY = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\n"
HANDSHAKES = {
    "OkHttp": """Upgrade: websocket
Connection: Upgrade
{key}Sec-WebSocket-Version: 13
Sec-WebSocket-Extensions: permessage-deflate
Host: {authority}
Accept-Encoding: gzip
User-Agent: okhttp/4.12.0""",
    "Ktor (CIO)": """Host: {authority}
Accept: */*
User-Agent: ktor-client
Accept-Charset: UTF-8
Upgrade: websocket
Connection: upgrade
{key}Sec-WebSocket-Version: 13""",
    "URLSession": """Host: {authority}
{key}Sec-WebSocket-Version: 13
Upgrade: websocket
Accept: */*
Sec-WebSocket-Extensions: permessage-deflate
Cache-Control: no-cache
Accept-Language: en-GB,en;q=0.9
Accept-Encoding: gzip, deflate
Pragma: no-cache
User-Agent: MyApp/1 CFNetwork/1494.0.7 Darwin/23.4.0
Connection: Upgrade""",
    "Starscream": """Host: chat.example.com:443
Upgrade: websocket
Connection: Upgrade
Sec-WebSocket-Version: 13
{key}Origin: wss://chat.example.com
Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits; server_max_window_bits=15
X-Forwarded-Proto: https""",
    "SocketRocket": """Host: {authority}
Upgrade: websocket
Connection: Upgrade
{key}Sec-WebSocket-Version: 13
Origin: http://{authority}""",
    "React Native on iOS": """Host: {authority}
Origin: http://{authority}
Upgrade: websocket
Connection: Upgrade
{key}Sec-WebSocket-Version: 13
Cookie: theme=dark""",
    "React Native on Android": """origin: http://{authority}
Upgrade: websocket
Connection: Upgrade
{key}Sec-WebSocket-Version: 13
Sec-WebSocket-Extensions: permessage-deflate
Host: {authority}
Accept-Encoding: gzip
User-Agent: okhttp/4.9.2""",
    "Capacitor on iOS": """Host: {authority}
Upgrade: websocket
Connection: Upgrade
{key}Sec-WebSocket-Version: 13
Sec-WebSocket-Extensions: permessage-deflate
Origin: capacitor://localhost
User-Agent: Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148""",
    "Ionic": """Host: {authority}
Upgrade: websocket
Connection: Upgrade
{key}Sec-WebSocket-Version: 13
Origin: ionic://localhost""",
    "Electron, from a file": """Host: {authority}
Connection: Upgrade
Pragma: no-cache
Cache-Control: no-cache
User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Electron/30.0.1 Safari/537.36
Upgrade: websocket
Origin: file://
Sec-WebSocket-Version: 13
Accept-Encoding: gzip, deflate, br, zstd
Accept-Language: en-GB
{key}Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits""",
    "Tauri": """Host: {authority}
Upgrade: websocket
Connection: Upgrade
{key}Sec-WebSocket-Version: 13
Sec-WebSocket-Extensions: permessage-deflate
Origin: tauri://localhost""",
    "a page in a sandbox": """Host: {authority}
Connection: Upgrade
Upgrade: websocket
Origin: null
Sec-WebSocket-Version: 13
{key}Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits""",
    "Java HttpClient": """Connection: Upgrade
Content-Length: 0
Host: {authority}
Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
Sec-WebSocket-Version: 13
Upgrade: websocket
User-Agent: Java-http-client/17.0.10""",
    ".NET ClientWebSocket": """Host: {authority}
Connection: Upgrade
Upgrade: websocket
Sec-WebSocket-Version: 13
{key}""",
    "Chrome": """Host: {authority}
Connection: Upgrade
Pragma: no-cache
Cache-Control: no-cache
User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/125.0.0.0 Safari/537.36
Upgrade: websocket
Origin: http://{authority}
Sec-WebSocket-Version: 13
Accept-Encoding: gzip, deflate, br, zstd
Accept-Language: en-GB,en;q=0.9
{key}Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits""",
    "Firefox": """Host: {authority}
User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:126.0) Gecko/20100101 Firefox/126.0
Accept: */*
Accept-Language: en-GB,en;q=0.5
Accept-Encoding: gzip, deflate, br, zstd
Sec-WebSocket-Version: 13
Origin: http://{authority}
Sec-WebSocket-Extensions: permessage-deflate
{key}DNT: 1
Connection: keep-alive, Upgrade
Sec-Fetch-Dest: empty
Sec-Fetch-Mode: websocket
Sec-Fetch-Site: same-origin
Pragma: no-cache
Cache-Control: no-cache
Upgrade: websocket""",
    "Safari": """Host: {authority}
Connection: Upgrade
Sec-WebSocket-Version: 13
{key}Origin: http://{authority}
Pragma: no-cache
Upgrade: websocket
Sec-WebSocket-Extensions: x-webkit-deflate-frame, permessage-deflate
Cache-Control: no-cache
User-Agent: Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Safari/605.1.15""",
    "nginx": """Upgrade: websocket
Connection: upgrade
Host: chat.example.com
X-Real-IP: 203.0.113.7
X-Forwarded-For: 203.0.113.7
X-Forwarded-Proto: https
Origin: https://chat.example.com
Sec-WebSocket-Version: 13
{key}Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits""",
    "Caddy": """Host: chat.example.com
User-Agent: okhttp/4.12.0
Connection: Upgrade
Sec-Websocket-Extensions: permessage-deflate
Sec-Websocket-Key: dGhlIHNhbXBsZSBub25jZQ==
Sec-Websocket-Version: 13
Upgrade: websocket
X-Forwarded-For: 203.0.113.7
X-Forwarded-Host: chat.example.com
X-Forwarded-Proto: https
Via: 1.1 Caddy""",
    "Traefik": """Host: chat.example.com
Connection: Upgrade
Origin: https://chat.example.com
Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
Sec-WebSocket-Version: 13
Upgrade: websocket
X-Forwarded-For: 203.0.113.7
X-Forwarded-Host: chat.example.com
X-Forwarded-Port: 443
X-Forwarded-Proto: wss
X-Forwarded-Server: edge-1
X-Real-Ip: 203.0.113.7""",
    "HAProxy": """host: chat.example.com
upgrade: websocket
connection: Upgrade
origin: https://chat.example.com
sec-websocket-version: 13
sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==
x-forwarded-for: 203.0.113.7
x-forwarded-proto: https""",
    "AWS ALB": """X-Forwarded-For: 203.0.113.7
X-Forwarded-Proto: https
X-Forwarded-Port: 443
Host: chat.example.com
X-Amzn-Trace-Id: Root=1-65f0c1b2-0123456789abcdef01234567
Upgrade: websocket
Connection: upgrade
Origin: https://chat.example.com
Sec-WebSocket-Version: 13
{key}Sec-WebSocket-Extensions: permessage-deflate""",
}
FOREIGN = {
    "a page of another site": "https://evil.example",
    "its plain twin": "http://chat.example.com.evil.example",
    "another port of the same machine": "https://chat.example.com:8443",
}
"""Origins that only a browser's page can have, and that no setting names."""

JSON = "Content-Type: application/json\n"
REQUESTS = {
    "OkHttp": """POST {path} HTTP/1.1
Content-Type: application/json; charset=utf-8
Content-Length: {length}
Host: {authority}
Connection: Keep-Alive
Accept-Encoding: gzip
User-Agent: okhttp/4.12.0

{body}""",
    "URLSession": """POST {path} HTTP/1.1
Host: {authority}
Content-Type: application/json
Connection: keep-alive
Accept: */*
User-Agent: MyApp/1 CFNetwork/1494.0.7 Darwin/23.4.0
Content-Length: {length}
Accept-Language: en-GB,en;q=0.9
Accept-Encoding: gzip, deflate

{body}""",
    "Java HttpClient, offering HTTP/2": """POST {path} HTTP/1.1
Connection: Upgrade, HTTP2-Settings
Content-Length: {length}
Host: {authority}
HTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA
Upgrade: h2c
User-Agent: Java-http-client/17.0.10
Content-Type: application/json

{body}""",
    "Java HttpClient, offering HTTP/2, in chunks": """POST {path} HTTP/1.1
Connection: Upgrade, HTTP2-Settings
Host: {authority}
HTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA
Transfer-encoding: chunked
Upgrade: h2c
User-Agent: Java-http-client/17.0.10
Content-Type: application/json

{hex_length}
{body}
0

""",
    "curl --http2": """POST {path} HTTP/1.1
Host: {authority}
User-Agent: curl/7.88.1
Accept: */*
Connection: Upgrade, HTTP2-Settings
Upgrade: h2c
HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA
Content-Type: application/json
Content-Length: {length}

{body}""",
    ".NET HttpClient, in chunks": """POST {path} HTTP/1.1
Host: {authority}
Transfer-Encoding: chunked
Content-Type: application/json; charset=utf-8

{hex_length}
{body}
0

""",
    "Ktor (CIO)": """POST {path} HTTP/1.1
Host: {authority}
Content-Length: {length}
Content-Type: application/json
Accept: application/json
Accept-Charset: UTF-8
User-Agent: ktor-client
Connection: close

{body}""",
    "Chrome": """POST {path} HTTP/1.1
Host: {authority}
Connection: keep-alive
Content-Length: {length}
sec-ch-ua: "Chromium";v="125", "Not.A/Brand";v="24"
Content-Type: application/json
sec-ch-ua-mobile: ?0
User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/125.0.0.0 Safari/537.36
sec-ch-ua-platform: "Linux"
Accept: */*
Origin: http://{authority}
Sec-Fetch-Site: same-origin
Sec-Fetch-Mode: cors
Sec-Fetch-Dest: empty
Referer: http://{authority}/test
Accept-Encoding: gzip, deflate, br, zstd
Accept-Language: en-GB,en;q=0.9

{body}""",
    "nginx, which speaks HTTP/1.0 by default": """POST {path} HTTP/1.0
Host: chat.example.com
X-Forwarded-For: 203.0.113.7
X-Forwarded-Proto: https
Connection: close
Content-Length: {length}
Content-Type: application/json

{body}""",
    "HAProxy": """POST {path} HTTP/1.1
host: chat.example.com
content-type: application/json
content-length: {length}
x-forwarded-for: 203.0.113.7
x-forwarded-proto: https

{body}""",
    "AWS ALB": """POST {path} HTTP/1.1
X-Forwarded-For: 203.0.113.7
X-Forwarded-Proto: https
X-Forwarded-Port: 443
Host: chat.example.com
X-Amzn-Trace-Id: Root=1-65f0c1b2-0123456789abcdef01234567
Content-Length: {length}
Content-Type: application/json
User-Agent: okhttp/4.12.0

{body}""",
}
