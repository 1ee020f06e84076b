"""The bugs: each a small edit of one file, and what it does to those who rely on the file."""

from dataclasses import dataclass
from pathlib import Path

_CLIENT = "generated/signalwire_compat/"
_MOCK = "mock_server/signalwire_compat_mock/"
_REQUEST = f"{_CLIENT}models/purchase_request.py"
_NUMBER = f"{_CLIENT}models/incoming_phone_number.py"
_CALL = f"{_CLIENT}api/phone_numbers/purchase.py"
_FACADE = f"{_CLIENT}api/phone_numbers/__init__.py"
_LAYER = "codegen/templates/endpoint_module.py.jinja"
_RULES = "runtime/rules.py"
_TYPES = "codegen/templates/types.py.jinja"
_SPEC = "openapi.yaml"


@dataclass(frozen=True)
class Bug:
    """One edit: `old` becomes `new` where it first stands after `after`."""

    name: str
    file: str
    old: str
    new: str
    after: str = ""

    @property
    def place(self) -> str:
        """Whose bug it is: client, templates, mock or spec."""
        return {"generated": "client", "mock_server": "mock", "openapi.yaml": "spec"}.get(
            self.file.partition("/")[0], "templates"
        )

    def plant(self, folder: Path) -> None:
        """Edit a copy of the project. Errors: `ValueError` if the place is not there."""
        path = folder / self.file
        text = path.read_text("utf-8")
        before, marker, rest = text.partition(self.after) if self.after else ("", "", text)
        if self.old not in rest or (self.after and not marker):
            raise ValueError(f"{self.name}: {self.file} has no {self.old!r}: mend tests/planted")
        path.write_text(before + marker + rest.replace(self.old, self.new, 1), "utf-8")


BUGS = (
    # What a caller gives, on its way out.
    Bug("a field has another name on the wire", _REQUEST, '"SmsUrl":', '"SmsURL":', "to_dict"),
    Bug("a field is dropped", _REQUEST, '"VoiceUrl": self.voice_url,', "", "to_dict"),
    Bug("two fields are swapped", _REQUEST, "self.sms_method,", "self.voice_method,", "to_dict"),
    Bug("a default is sent", _REQUEST, "self.voice_method,", 'self.voice_method or "POST",', "to_dict"),
    Bug("null is sent as the text None", _REQUEST, "self.friendly_name,", "self.friendly_name if isinstance(self.friendly_name, Unset) else str(self.friendly_name),", "to_dict"),
    Bug("a text is trimmed", _REQUEST, "self.friendly_name,", "self.friendly_name.strip() if isinstance(self.friendly_name, str) else self.friendly_name,", "to_dict"),
    Bug("the fragment of a URL is cut off", _REQUEST, "self.status_callback,", 'self.status_callback.partition("#")[0] if isinstance(self.status_callback, str) else self.status_callback,', "to_dict"),
    Bug("a blank text is left out", _REQUEST, "if not isinstance(value, Unset)", "if value", "to_dict"),
    Bug("an allowed value is refused", _REQUEST, '("voice", "fax")', '("voice",)'),
    Bug("a value of another field is sent", _REQUEST, '("voice", "fax")', '("voice", "fax", "POST")'),
    Bug("an allowed value in another case is sent", _RULES, "return isinstance(value, bool) == isinstance(allowed, bool) and bool(value == allowed)", "return str(value).upper() == str(allowed).upper()"),
    Bug("a pattern is too strict", _REQUEST, "{5,17}", "{5,16}"),
    Bug("a pattern is too loose", _REQUEST, r"^\\+", r"^\\+?"),
    Bug("a pattern lost its end", _REQUEST, r"\\Z", ""),
    Bug("a pattern takes any digits of Unicode", _RULES, "functools.partial(re.compile, flags=re.ASCII)", "re.compile"),
    Bug("a length is too strict", _REQUEST, "max_length=18", "max_length=17"),
    Bug("a length is checked off by one", _RULES, "self.min_length <= len(value)", "self.min_length < len(value)"),
    Bug("a format is not checked", _REQUEST, '"SmsUrl": Rule(kinds=("string",), format="uri")', '"SmsUrl": Rule(kinds=("string",))'),
    Bug("a format is another one", _REQUEST, '"SmsUrl": Rule(kinds=("string",), format="uri")', '"SmsUrl": Rule(kinds=("string",), format="date")'),
    Bug("a field that nobody knows is sent", _CALL, "content=_urlencoded(_form).encode()", 'content=(_urlencoded(_form) + "&x=1").encode()'),
    Bug("a form is sent as JSON", _CALL, "_urlencoded(_form).encode()", '__import__("json").dumps(_form).encode()'),
    Bug("the content type is JSON", _CALL, "application/x-www-form-urlencoded", "application/json"),
    Bug("the content type has another charset", _CALL, "application/x-www-form-urlencoded", "application/x-www-form-urlencoded; charset=latin-1"),
    Bug("the method is another one", _CALL, 'method="POST"', 'method="PUT"'),
    Bug("the path is another one", _CALL, 'path="/Accounts/{account_sid}/IncomingPhoneNumbers"', 'path="/Accounts/{account_sid}/IncomingPhoneNumbers.json"'),
    Bug("the base path is another one", f"{_CLIENT}client.py", "2010-04-01", "2010-04-02"),
    Bug("the credentials are left out", _CALL, "authenticate=True", "authenticate=False"),
    Bug("the credentials are in the wrong order", f"{_CLIENT}client.py", "{self.project}:{secret}", "{secret}:{self.project}"),
    Bug("a header that nobody asked for is sent", f"{_CLIENT}client.py", '"accept-encoding": "identity",', '"accept-encoding": "identity", "x-debug": "1",'),
    Bug("the query repeats the form", _CALL, 'method="POST",', 'method="POST", query=_urlencoded(_encode(body)),'),
    Bug("an account that was named is ignored", _FACADE, "isinstance(AccountSid, _types.Unset)", "True", "class PhoneNumbers"),
    Bug("an account is written in lower case", _CALL, '_segment("AccountSid", account_sid)', '_segment("AccountSid", account_sid).lower()'),
    Bug("the facade swaps two arguments", _FACADE, '"voice_url", VoiceUrl', '"voice_url", VoiceFallbackUrl', "class PhoneNumbers"),
    Bug("the async facade drops an argument", _FACADE, '"sms_url", SmsUrl', '"sms_url", UNSET', "class AsyncPhoneNumbers"),
    Bug("the async facade knows no account but its own", _FACADE, "else AccountSid", "else self._client.project", "class AsyncPhoneNumbers"),
    Bug("the async function sends another body", _CALL, "body=body", 'body=PurchaseRequest(phone_number="+15550000000")', "async def asyncio("),
    Bug("the async detailed function leaves out the body's checks", _CALL, "            _request(", "            (lambda account_sid, body: _evolve(_request(account_sid=account_sid, body=PurchaseRequest(phone_number='+15550000000')), content=_urlencoded(_encode(body)).encode() + b'&'))(", "async def asyncio_detailed("),
    Bug("a member of a request is not read back", _REQUEST, '"SmsMethod", UNSET', '"SmsMethd", UNSET', "from_dict"),
    # What a server answers, on its way in.
    Bug("an error is a success", f"{_CLIENT}types.py", "return 200 <= self.status_code < 300", "return 200 <= self.status_code < 500"),
    Bug("a success is an error", _CALL, "if reply.is_success:", "if reply.status_code == 200:"),
    Bug("a documented error is none", _CALL, "reply.status_code == 422", "reply.status_code == 423"),
    Bug("a documented error has the model of a success", _CALL, "reply.decode(Error.from_dict, _error_rule)", "reply.decode(IncomingPhoneNumber.from_dict, _error_rule)"),
    Bug("a member that may be null must be there", _NUMBER, 'rest.pop("address_sid", None)', 'rest.pop("address_sid")'),
    Bug("a member that may be null and is absent is unset", _NUMBER, 'rest.pop("address_sid", None)', 'rest.pop("address_sid", UNSET)'),
    Bug("a member of a reply is dropped", _NUMBER, 'country_code = rest.pop("country_code", UNSET)', 'country_code = UNSET'),
    Bug("a member of a reply has another name", _NUMBER, 'rest.pop("country_code"', 'rest.pop("countryCode"'),
    Bug("two members of a reply are swapped", f"{_CLIENT}models/capabilities.py", 'voice = rest.pop("voice", UNSET)', 'voice = rest["sms"]'),
    Bug("members that nobody knows are lost", _NUMBER, "model.additional_properties = rest", "model.additional_properties = {}"),
    Bug("an object in a reply stays a dict", _NUMBER, "(dict, _models.Capabilities.from_dict)", ""),
    Bug("a member is not written back", _NUMBER, '"trunk_sid": self.trunk_sid,', "", "to_dict"),
    Bug("an object is not written back as JSON", _NUMBER, "encode(self.capabilities)", "self.capabilities", "to_dict"),
    Bug("a false value is taken for none", f"{_CLIENT}models/capabilities.py", 'rest.pop("fax", UNSET)', 'rest.pop("fax", UNSET) or UNSET'),
    Bug("an unknown value ends in an error", f"{_CLIENT}types.py", "if misfits and not self.is_success:", "if misfits:"),
    Bug("what breaks the contract is not logged", f"{_CLIENT}types.py", "        if misfits:\n", "        if False:\n"),
    Bug("a reply that keeps the contract is warned of", _NUMBER, '"beta": Rule(kinds=("boolean",))', '"beta": Rule(kinds=("string",))'),
    Bug("a reply is read as Latin-1", f"{_CLIENT}types.py", 'self.content.decode("utf-8", "surrogatepass")', 'self.content.decode("latin-1")'),
    Bug("a text is taken for true", f"{_CLIENT}rules.py", 'return value == "true"', "return bool(value)"),
    Bug("an exception is a bare one", f"{_CLIENT}types.py", "except (AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:", "except KeyError as error:"),
    Bug("a status has the class of another", f"{_CLIENT}errors.py", "422: UnprocessableEntityError", "422: ConflictError"),
    Bug("an exception has another code", f"{_CLIENT}errors.py", 'item.get("code")', 'item.get("status")'),
    Bug("an exception has no message", f"{_CLIENT}errors.py", '("message", "detail"', '("detail"'),
    Bug("an exception has no address of its documentation", f"{_CLIENT}errors.py", '("more_info", "url")', '("url",)'),
    Bug("an exception forgets what was asked for", f"{_CLIENT}types.py", '"arguments": self.arguments', '"arguments": {}'),
    Bug("an exception has no body", f"{_CLIENT}types.py", '"content": self._safe_content}', '"content": b""}'),
    Bug("an exception says that nothing can have happened", f"{_CLIENT}types.py", "return (self.uncertain or not refused) and not self.request.is_safe", "return False"),
    Bug("an exception says that anything can have happened", f"{_CLIENT}types.py", "return (self.uncertain or not refused) and not self.request.is_safe", "return True"),
    Bug("a refused request is sent again", f"{_CLIENT}client.py", "outcome.status_code == 429", "outcome.status_code in (422, 429)"),
    Bug("a lost reply is no error", f"{_CLIENT}types.py", "return self.error(self.problem)", "return convert({})"),
    # What makes the client: with an operation more, for what a purchase does not use.
    Bug("members are named as in Python", "codegen/templates/model.py.jinja", '"{{ property.name | in_double_quote_literal }}": {{ "encode', '"{{ property.python_name }}": {{ "encode'),
    Bug("open models forget what they do not know", "codegen/templates/model.py.jinja", 'else "rest"', 'else "{}"'),
    Bug("absent members are never null", "codegen/templates/model.py.jinja", 'set absent = ", None" if', 'set absent = ", None" if false and'),
    Bug("every method is POST", _LAYER, "{{ endpoint.method | upper }}\",", 'POST",'),
    Bug("no operation has credentials", _LAYER, "{{ endpoint.requires_security }}", "False"),
    Bug("no operation has a query", _LAYER, "query=_urlencoded({{ members(endpoint.query_parameters) }}),", ""),
    Bug("no operation has headers", _LAYER, "**_headers({{ members(endpoint.header_parameters) }}),", ""),
    Bug("query and headers are swapped", _LAYER, "query=_urlencoded({{ members(endpoint.query_parameters) }})", "query=_urlencoded({{ members(endpoint.header_parameters) }})"),
    Bug("names in a query are those of Python", _LAYER, '"{{ parameter.name | in_double_quote_literal }}": {{ parameter.python_name }}', '"{{ parameter.python_name }}": {{ parameter.python_name }}'),
    Bug("a JSON body goes out as a form", _LAYER, "content=_json_body(body),", "content=_urlencoded(_encode(body)).encode(),"),
    Bug("the first status stands for all", _LAYER, "reply.status_code == {{ response.status_code.range[0] }}", "reply.status_code == {{ (endpoint.responses | list)[0].status_code.range[0] }}"),
    Bug("a documented error raises in the detailed layer", _LAYER, "parsed={{ \"None\" if documented == \"None\" else \"_documented(reply)\" }}", "parsed=_success(reply)"),
    Bug("parameters are not checked", _LAYER, "({{ members(parameters) }}, _PARAMETERS)", "({{ members(parameters) }}, Rule())"),
    Bug("a body is not checked", _LAYER, 'rule_of(body.prop) if body.prop.template == "model_property.py.jinja"', '"Rule()" if body.prop.template == "model_property.py.jinja"'),
    Bug("the facade gives every argument to the next", "codegen/templates/endpoint_init.py.jinja", '"{{ property.python_name }}", {{ spelled(property.name) }}', '"{{ property.python_name }}", {{ spelled(members[loop.index0 - 1].name) }}'),
    Bug("true is sent as True", _TYPES, 'return "true" if value else "false"', "return str(value)"),
    Bug("a list is sent as one item", _TYPES, "for item in value if isinstance(value, list) else [value]:\n            written", "for item in [','.join(map(str, value))] if isinstance(value, list) else [value]:\n            written"),
    Bug("only the first item of a list is sent", _TYPES, "for item in value if isinstance(value, list) else [value]:\n            written", "for item in value[:1] if isinstance(value, list) else [value]:\n            written"),
    Bug("a path is not encoded", _TYPES, "return _segment_quoted(written)", "return written"),
    Bug("a slash in a path is not encoded", _TYPES, 'functools.partial(quote, safe="")', "quote"),
    Bug("a dot may be a segment of a path", _TYPES, 'if written in ("", ".", ".."):', 'if written == "":'),
    Bug("a blank may be a segment of a path", _TYPES, 'if written in ("", ".", ".."):', 'if written in (".", ".."):'),
    Bug("a query is not encoded", _TYPES, 'f"{_quoted(name)}={value.translate(_IN_FORM) if value.isascii() else quote_plus(value)}"', '"=".join((name, value))'),
    Bug("a header may hold anything", _TYPES, 'if not re.fullmatch(r"([!-~]([\\t -~]*[!-~])?)?", value):', "if False:"),
    Bug("false is left out of JSON", _TYPES, "json.dumps(encode(value), ensure_ascii=False", "json.dumps({k: v for k, v in encode(value).items() if v}, ensure_ascii=False"),
    Bug("the query is left out of the URL", "codegen/templates/client.py.jinja", 'query = f"?{request.query}" if request.query else ""', 'query = ""'),
    Bug("the async client sends every request twice", "codegen/templates/client.py.jinja", "outcome = {{ word }}self._attempt(call)", "{{ word }}self._attempt(call)\n            call.next_attempt()\n            outcome = {{ word }}self._attempt(call)"),
    Bug("patterns are not generated", "codegen/schema_code.py", 'if "pattern" in schema:', "if False:"),
    Bug("allowed values are not generated", "codegen/schema_code.py", 'elif schema.get("enum") is not None:', "elif False:"),
    Bug("formats are not generated", "codegen/schema_code.py", 'if schema.get("format") in FORMATS:', "if False:"),
    Bug("limits are not generated", "codegen/schema_code.py", "if keyword in schema:", "if False:"),
    Bug("closed models are open", "codegen/schema_code.py", "is False:", "is None:"),
    # The mock: what stands for the service.
    Bug("a required member is missing", f"{_MOCK}handlers.py", "    return record\n\n\ndef _describe", '    del record["country_code"]\n    return record\n\n\ndef _describe'),
    Bug("a member has another type", f"{_MOCK}handlers.py", '"beta": False', '"beta": "false"'),
    Bug("a nested member is missing", f"{_MOCK}handlers.py", ', "fax": True', ""),
    Bug("a reply has a member that is not documented", f"{_MOCK}handlers.py", "    return record\n\n\ndef _describe", '    record["debug"] = None\n    return record\n\n\ndef _describe'),
    Bug("a status is not documented", f"{_MOCK}engine.py", "return Answer(reply.status, body", "return Answer(reply.status + 1, body"),
    Bug("a status is that of another error", f"{_MOCK}engine.py", "status = self.contract.status(operation, wished)", "status = 400"),
    Bug("the content type is plain text", f"{_MOCK}engine.py", 'headers["content-type"] = response.content_type', 'headers["content-type"] = "text/plain"'),
    Bug("the content type is missing", f"{_MOCK}engine.py", 'headers["content-type"] = response.content_type', "pass"),
    Bug("a reply is cut off", f"{_MOCK}engine.py", "return Answer(reply.status, body,", "return Answer(reply.status, body[:-1],"),
    Bug("the code of an error is text", f"{_MOCK}engine.py", '{"code": code,', '{"code": str(code),'),
    Bug("one mistake is overlooked", f"{_MOCK}checks.py", "    if faults:\n", "    if len(faults) > 1:\n"),
    Bug("a body is not checked", f"{_MOCK}checks.py", "faults += _schema_faults(media.validator, value, media.fields, show)", ""),
    Bug("a path is not checked", f"{_MOCK}checks.py", "for found in parameter.validator.iter_errors(values[known.name]):", "for found in ():"),
    Bug("a field that nobody knows is taken", f"{_MOCK}checks.py", 'yield from _unknown("field", kind.unexpected, list(fields), show)', "pass"),
    Bug("a missing field is taken", f"{_MOCK}checks.py", "yield _missing(fields.get(kind.property) or Field(kind.property, Shape(frozenset())))", "pass"),
    Bug("JSON is taken for a form", f"{_MOCK}checks.py", 'media = body.media.get(incoming.content_type or "")', "media = next(iter(body.media.values()))"),
    Bug("a missing body is taken", f"{_MOCK}checks.py", "[Fault(None, INVALID, text)] if body.required else []", "[]"),
    Bug("no credentials are needed", f"{_MOCK}engine.py", "if operation.secured:", "if operation.secured and incoming.header('authorization'):"),
    Bug("any token will do", f"{_MOCK}checks.py", "if not hmac.compare_digest(password.encode(), token.encode()):", "if not password:"),
    Bug("wrong credentials are forbidden", f"{_MOCK}engine.py", "return Answer(status, body", "return Answer(403 if status == 401 else status, body"),
    Bug("another method is no such path", f"{_MOCK}engine.py", "status=405, allow=allowed", "status=404"),
    Bug("a valid request is refused", f"{_MOCK}handlers.py", "    record = _new_record(call, number)", '    if len(call.body.get("FriendlyName", "")) > 20:\n        raise Refusal(INVALID, "too long")\n    record = _new_record(call, number)'),
    Bug("an unusual character ends in a failure", f"{_MOCK}handlers.py", "    record = _new_record(call, number)", '    call.body.get("FriendlyName", "").encode("ascii")\n    record = _new_record(call, number)'),
    Bug("a plus in a form stays a plus", f"{_MOCK}parsing.py", '.replace(b"+", b" ")', ""),
    Bug("a blank value is dropped", f"{_MOCK}parsing.py", "        try:\n            pairs.append", "        if not value:\n            continue\n        try:\n            pairs.append"),
    Bug("a default is another one", f"{_MOCK}handlers.py", "sent[source].default if source in sent", '(sent[source].default and "GET") if source in sent'),
    Bug("a name is not kept", f"{_MOCK}handlers.py", 'call.body.get("FriendlyName", national)', "national"),
    Bug("a reply names another account", f"{_MOCK}handlers.py", '"account_sid": account', '"account_sid": account.lower()'),
    Bug("a sold number is sold again", f"{_MOCK}handlers.py", 'return self._numbers.setdefault(number, mine) is mine', 'self._numbers[number] = mine\n            return True'),
    Bug("a purchase is forgotten", f"{_MOCK}handlers.py", 'return self._numbers.setdefault(number, mine) is mine', 'return number not in self._numbers'),
    Bug("a refused purchase is charged for", f"{_MOCK}handlers.py", "return len(self.phone_numbers(account_sid))", "return len(self._numbers)"),
    Bug("an account is anybody's", f"{_MOCK}handlers.py", "if owner != project:", "if not owner:"),
    Bug("an account in upper case is another one", f"{_MOCK}handlers.py", "setdefault(account_sid.lower(), project)", "setdefault(account_sid, project)"),
    Bug("a reserved number is sold", f"{_MOCK}handlers.py", "if row.phone_number == number", "if row.phone_number == number and row.code != 30002"),
    Bug("a sold number has the status of another refusal", f"{_MOCK}handlers.py", "status=call.contract.status(call.operation, 422))", "status=400)"),
    # The document, while the service stays what it was.
    Bug("a field is renamed", _SPEC, "        VoiceUrl:\n", "        VoiceURL:\n", "PurchaseRequest:"),
    Bug("a field is removed", _SPEC, "        FriendlyName:\n          type: string\n          description: Name of the number, for people. If absent, the number in its national format.\n          x-error-codes: {invalid: 20002}\n", "", "PurchaseRequest:"),
    Bug("a field is added", _SPEC, "        FriendlyName:\n", "        Label:\n          type: string\n          description: A label.\n        FriendlyName:\n", "PurchaseRequest:"),
    Bug("a field becomes required", _SPEC, "required: [PhoneNumber]", "required: [PhoneNumber, FriendlyName]"),
    Bug("a field is no more required", _SPEC, "      required: [PhoneNumber]\n", "", "PurchaseRequest:"),
    Bug("a field has another type", _SPEC, "          type: string\n", "          type: integer\n", "        FriendlyName:"),
    Bug("a field lost its format", _SPEC, "          format: uuid\n", "", "        SmsApplicationSid:"),
    Bug("a field has another format", _SPEC, "          format: uri\n", "          format: uuid\n", "        SmsFallbackUrl:"),
    Bug("a field may be null", _SPEC, "          type: string\n          format: uri\n", '          type: [string, "null"]\n          format: uri\n', "        VoiceUrl:"),
    Bug("an allowed value is added", _SPEC, "enum: [GET, POST]", "enum: [GET, POST, PUT]"),
    Bug("an allowed value is removed", _SPEC, "enum: [voice, fax]", "enum: [voice]"),
    Bug("a pattern is looser", _SPEC, "{5,17}$\n          minLength: 6", "{4,17}$\n          minLength: 5"),
    Bug("a pattern is tighter", _SPEC, "{5,17}$\n          minLength: 6", "{6,17}$\n          minLength: 7"),
    Bug("a length is looser", _SPEC, "{5,17}$\n          minLength: 6\n          maxLength: 18", "{5,18}$\n          minLength: 6\n          maxLength: 19"),
    Bug("a length is tighter", _SPEC, "maxLength: 18", "maxLength: 17"),
    Bug("a length is new", _SPEC, "          x-error-codes: {invalid: 20002}", "          maxLength: 64\n          x-error-codes: {invalid: 20002}"),
    Bug("a default is another one", _SPEC, "default: POST", "default: GET", "        SmsMethod:"),
    Bug("fields that are not named are allowed", _SPEC, "additionalProperties: false", "additionalProperties: true"),
    Bug("the body is JSON", _SPEC, "          application/x-www-form-urlencoded:", "          application/json:", "operationId: purchase"),
    Bug("the method is PUT", _SPEC, "    post:\n", "    put:\n", "/Accounts/{AccountSid}/IncomingPhoneNumbers:"),
    Bug("the path is another one", _SPEC, "/Accounts/{AccountSid}/IncomingPhoneNumbers:", "/Accounts/{AccountSid}/AvailablePhoneNumbers:"),
    Bug("the server is another one", _SPEC, "/api/laml/2010-04-01", "/api/laml/2010-04-02", "servers:"),
    Bug("no credentials are asked for", _SPEC, "      security:\n        - ProjectToken: []\n", "      security: []\n"),
    Bug("an account may be any text", _SPEC, "      format: uuid\n", "", "  schemas:\n    AccountSid:"),
    Bug("the success has another status", _SPEC, '"201":', '"200":'),
    Bug("a refusal has another status", _SPEC, '"422":', '"409":'),
    Bug("wrong credentials are not documented", _SPEC, '"401":', '"403":'),
    Bug("a reply has a required member more", _SPEC, "        - account_sid\n", "        - account_sid\n        - bundle_sid\n", "    IncomingPhoneNumber:"),
    Bug("a member of the reply is renamed", _SPEC, "        api_version:\n", "        version:\n", "    IncomingPhoneNumber:"),
    Bug("a nested member of the reply is removed", _SPEC, "        fax:\n          type: boolean\n          description: Whether the number receives faxes.\n", "", "required: [voice, sms, mms"),
    Bug("a member of the reply has another type", _SPEC, "          type: boolean\n", "          type: string\n", "        beta:"),
    Bug("a member of the reply is never null", _SPEC, '          type: [string, "null"]\n', "          type: string\n", "        address_sid:"),
    Bug("a member of the reply has a format", _SPEC, "          type: string\n", "          type: string\n          format: date-time\n", "        date_created:"),
    Bug("a member of the reply has fewer values", _SPEC, "enum: [signalwire, hosted]", "enum: [hosted]"),
    Bug("a nested member of the reply is renamed", _SPEC, "        fax:\n", "        telefax:\n", "    Capabilities:"),
    Bug("a member of an error has another type", _SPEC, "          type: integer\n          format: int32\n", "          type: string\n", "    Error:"),
    Bug("an error has a required member more", _SPEC, "required: [code, message, more_info, status]", "required: [code, message, more_info, status, request_id]"),
)  # fmt: skip
