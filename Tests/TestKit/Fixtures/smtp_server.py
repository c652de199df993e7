"""A mail server on a free port of 127.0.0.1. Prints the port, then each mail it takes as a line of JSON."""

import argparse
import asyncio
import email
import email.policy
import hmac
import json
import ssl

from aiosmtpd.smtp import MISSING, SMTP, AuthResult, LoginPassword

parser = argparse.ArgumentParser()
parser.add_argument("--tls", choices=["none", "starttls", "implicit"], default="none")
parser.add_argument("--certificate")
parser.add_argument("--key")
parser.add_argument("--user")
parser.add_argument("--password")
parser.add_argument("--mechanism", action="append", default=[])
arguments = parser.parse_args()
sessions = []


class Handler:
    async def handle_DATA(self, server, session, envelope):
        if session not in sessions:
            sessions.append(session)
        message = email.message_from_bytes(envelope.original_content, policy=email.policy.default)
        parts = {
            part.get_content_type(): part.get_content() for part in message.walk() if not part.is_multipart()
        }
        mail = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "options": envelope.mail_options,
            "user": (session.auth_data.login.decode() if session.auth_data else None),
            "mechanism": getattr(session, "mechanism", None),
            "tls": server.transport.get_extra_info("ssl_object") is not None,
            "session": sessions.index(session),
            "hello": session.host_name,
            "headers": {name: str(value) for name, value in message.items()},
            "kind": message.get_content_type(),
            "parts": parts,
            "longest": max(len(line) for line in envelope.original_content.split(b"\r\n")),
            "raw": envelope.original_content.decode("utf-8", "replace"),
        }
        print(json.dumps(mail), flush=True)
        return "250 taken"

    async def auth_CRAM__MD5(self, server, args):
        challenge = b"<1896.697170952@mail.example>"
        response = await server.challenge_auth(challenge)
        if response is MISSING:
            return AuthResult(success=False)
        user, _, digest = response.decode().rpartition(" ")
        expected = hmac.new((arguments.password or "").encode(), challenge, "md5").hexdigest()
        server.session.mechanism = "CRAM-MD5"
        good = user == arguments.user and digest == expected
        login = LoginPassword(user.encode(), b"")
        return AuthResult(success=True, auth_data=login) if good else AuthResult(success=False, handled=False)


def authenticate(server, session, envelope, mechanism, data):
    session.mechanism = mechanism
    good = data.login.decode() == arguments.user and data.password.decode() == arguments.password
    return AuthResult(success=good, handled=good, auth_data=data if good else None)


def make():
    every = {"PLAIN", "LOGIN", "CRAM-MD5"}
    offered = set(arguments.mechanism) if arguments.user else set()
    return SMTP(
        Handler(),
        enable_SMTPUTF8=True,
        hostname="mail.test",
        tls_context=context if arguments.tls == "starttls" else None,
        require_starttls=arguments.tls == "starttls",
        auth_required=arguments.user is not None,
        auth_require_tls=False,
        auth_exclude_mechanism=every - offered,
        authenticator=authenticate,
    )


context = None
if arguments.tls != "none":
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(arguments.certificate, arguments.key)


async def main():
    server = await asyncio.get_running_loop().create_server(
        make, "127.0.0.1", 0, ssl=context if arguments.tls == "implicit" else None
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(main())
