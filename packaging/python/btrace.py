# SPDX-License-Identifier: Apache-2.0
"""Spans of your own, in the traces that libbtrace makes of the requests.

    import btrace

    with btrace.span("load model", {"model.name": name}) as span:
        span["model.bytes"] = load(name)
        span.event("warm", batch=8)

    @btrace.span("resize")          # or plain @btrace.span: the function's name
    def resize(image): ...          # async def too

    log.info("... trace_id=%s", btrace.current().trace_id)

One file over ctypes, for Python 3.7 and later: install it, or copy it into your project. Without LD_PRELOAD=libbtrace.so
(or ctypes) everything does nothing.

Whose child a span is: of the span around it, and else of the request that its thread has read and not answered yet; else a
new trace begins, by the sampler's draw. The span around it is found by contextvars, so it is right in asyncio tasks,
asyncio.to_thread and gevent's greenlets as well. An event loop with several requests in flight cannot tell which one a
handler works at: give it `parent=`, for example the request's own traceparent header. To plain threads, processes and
queues pass the context on:

    here = btrace.current()                    # or span.context
    pool.submit(work, here)                    # there: with btrace.span("work", parent=here): ...
    queue.send(headers={"traceparent": str(here)})

Requests that a thread sends in the span are its children, but for asyncio's: pass on str(span.context) as traceparent there.
An exception that leaves the span is an event "exception", and makes its status an error. What is kept of a span is
bounded; see btrace.h.
"""
import contextvars
import functools
import inspect
import sys
import threading

__all__ = ["span", "current", "Context", "available"]

_DETACHED = 1  # enum btrace_flag
_OK, _ERROR = 1, 2  # enum btrace_status
_CONTEXT_BYTES = 32
_STACK_CHARACTERS = 600  # the end of it tells most, and a span has little room

try:
    import ctypes

    # PyDLL: the calls are shorter than giving the interpreter's lock away and back would be.
    _library = ctypes.PyDLL(None)

    def _function(name, result, *arguments):
        function = getattr(_library, "btrace_" + name)
        function.restype, function.argtypes = result, arguments
        return function

    _span = ctypes.c_uint64
    _begin = _function("begin_in", _span, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_uint32)
    _end = _function("end", None, _span)
    _recording = _function("recording", ctypes.c_int, _span)
    _set_string = _function("set_string", None, _span, ctypes.c_char_p, ctypes.c_char_p)
    _set_int = _function("set_int", None, _span, ctypes.c_char_p, ctypes.c_int64)
    _set_double = _function("set_double", None, _span, ctypes.c_char_p, ctypes.c_double)
    _set_bool = _function("set_bool", None, _span, ctypes.c_char_p, ctypes.c_int)
    _event = _function("event", _span, _span, ctypes.c_char_p)
    _status = _function("status", None, _span, ctypes.c_int, ctypes.c_char_p)
    _current = _function("current", ctypes.c_int, ctypes.c_char_p)
    _context_of = _function("context_of", ctypes.c_int, _span, ctypes.c_char_p)
    _to_traceparent = _function("to_traceparent", ctypes.c_int, ctypes.c_char_p, ctypes.c_char_p)
    _from_traceparent = _function("from_traceparent", ctypes.c_int, ctypes.c_char_p, ctypes.c_char_p)
    available = True  #: is the library here?
except (ImportError, OSError, AttributeError):
    available = False

_here = contextvars.ContextVar("btrace", default=None)  # the innermost span of this task, thread, greenlet


def _bytes(text):
    return str(text).encode("utf-8", "replace")


def _interleaved():
    """Does more than one thing run in turns on this thread? Then it says nothing about whose child a span is."""
    events, greenlet = sys.modules.get("asyncio.events"), sys.modules.get("greenlet")
    if events is not None and events._get_running_loop() is not None:
        return True
    return greenlet is not None and greenlet.getcurrent().parent is not None


class Context:
    """Trace id, span id and flags: what makes a span elsewhere a child. False if there is none."""
    __slots__ = ("_raw",)

    def __init__(self, raw=bytes(_CONTEXT_BYTES)):
        self._raw = raw

    @classmethod
    def parse(cls, traceparent):
        """Of the text of a traceparent header."""
        if not available or not traceparent:
            return cls()
        return cls._filled(_from_traceparent, _bytes(traceparent))

    @classmethod
    def _filled(cls, function, *arguments):
        raw = ctypes.create_string_buffer(_CONTEXT_BYTES)
        return cls(raw.raw) if function(*arguments, raw) else cls()

    def __bool__(self):
        return any(self._raw)

    def __str__(self):
        """As the header traceparent has it; "" if there is none."""
        if not self:
            return ""
        text = ctypes.create_string_buffer(56)
        _to_traceparent(self._raw, text)
        return text.value.decode()

    @property
    def trace_id(self):
        return self._raw[:16].hex() if self else ""

    @property
    def span_id(self):
        return self._raw[16:24].hex() if self else ""

    @property
    def sampled(self):
        return bool(self._raw[24] & 1)

    def __repr__(self):
        return "<btrace.Context %s>" % (str(self) or "none")

    def __eq__(self, other):
        return isinstance(other, Context) and str(self) == str(other)

    def __hash__(self):
        return hash(self._raw[:24])

    def __reduce__(self):
        return Context.parse, (str(self),)


def current():
    """The Context in which a span would begin now."""
    if not available:
        return Context()
    return _around() or Context._filled(_current)


def _around():
    """The Context of the span around, where the thread itself does not know it. None: it does, or there is none."""
    outer = _here.get()
    if outer is None or not (outer._detached or outer._thread != threading.get_ident() or _interleaved()):
        return None
    return outer.context or None  # it may have ended: what it left running is nobody's child


def _put(target, key, value):
    key = _bytes(key)
    if isinstance(value, bool):
        _set_bool(target, key, value)
    elif isinstance(value, int) and -1 << 63 <= value < 1 << 63:
        _set_int(target, key, value)
    elif isinstance(value, float):
        _set_double(target, key, value)
    else:
        _set_string(target, key, _bytes(value))


class span:
    """A span: `with`, `async with`, or a decorator, which begins a new one for each call.

    attributes: a mapping of str to str, bool, int, float (of others the str()). parent: a Context, a span, the text of a
    traceparent header; None: whatever is around. After the end, and if nothing is recorded, all methods do nothing.
    """
    __slots__ = ("name", "attributes", "parent", "_number", "_thread", "_detached", "_token")

    def __new__(cls, name="", attributes=None, parent=None):
        self = super().__new__(cls)
        self.name, self.attributes, self.parent = name, attributes, parent
        self._number = 0
        if callable(name):  # @btrace.span
            self.name = name.__qualname__
            return self(name)
        return self

    # --- its life ---

    def __enter__(self):
        if available:
            self._begin_now()
        return self

    def _begin_now(self):
        parent = self.parent
        if parent is None:
            parent = _around()
        elif isinstance(parent, span):
            parent = parent.context
        elif isinstance(parent, str):
            parent = Context.parse(parent)
        self._detached = _interleaved()
        self._thread = threading.get_ident()
        self._number = _begin(_bytes(self.name), None if parent is None else parent._raw, _DETACHED * self._detached)
        if not self._number:
            return
        self._token = _here.set(self)
        if self.attributes:
            for key, value in self.attributes.items():
                self[key] = value

    def __exit__(self, kind, error, traceback):
        if not self._number:
            return
        if isinstance(error, Exception):  # and no GeneratorExit, KeyboardInterrupt, CancelledError
            self.exception(error)
        number, self._number = self._number, 0
        try:
            _here.reset(self._token)
        except ValueError:  # begun in another task
            pass
        _end(number)

    async def __aenter__(self):
        return self.__enter__()

    async def __aexit__(self, *error):
        self.__exit__(*error)

    def __call__(self, function):
        name, attributes, parent = self.name, self.attributes, self.parent
        if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
            raise TypeError("a generator has no span of its own: begin one in it")
        if inspect.iscoroutinefunction(function):
            @functools.wraps(function)
            async def wrapper(*args, **more):
                with span(name, attributes, parent):
                    return await function(*args, **more)
        else:
            @functools.wraps(function)
            def wrapper(*args, **more):
                with span(name, attributes, parent):
                    return function(*args, **more)
        return wrapper

    # --- what it says ---

    def __bool__(self):
        """Is it recorded? If not, do not trouble to find out what to say."""
        return bool(self._number and _recording(self._number))

    def __setitem__(self, key, value):
        """An attribute; a key that is there gets the new value."""
        if self._number:
            _put(self._number, key, value)

    def event(self, name, attributes=None, **more):
        """Something that happened now, with attributes."""
        if not self._number:
            return
        event = _event(self._number, _bytes(name))
        for key, value in dict(attributes or {}, **more).items():
            _put(event, key, value)

    def exception(self, error):
        """An event "exception", and the status is an error."""
        if not self:
            return
        import traceback  # not before the first one

        kind = type(error)
        name = kind.__qualname__ if kind.__module__ == "builtins" else "%s.%s" % (kind.__module__, kind.__qualname__)
        stack = "".join(traceback.format_exception(kind, error, error.__traceback__))[-_STACK_CHARACTERS:]
        self.event("exception", {"exception.type": name, "exception.message": str(error), "exception.stacktrace": stack})
        self["error.type"] = name
        self.error("%s: %s" % (kind.__name__, error))

    def error(self, message=""):
        """It went wrong."""
        if self._number:
            _status(self._number, _ERROR, _bytes(message))

    def ok(self):
        """It went well, whatever error() says afterwards."""
        if self._number:
            _status(self._number, _OK, None)

    @property
    def context(self):
        """For children elsewhere."""
        return Context._filled(_context_of, self._number) if self._number else Context()
