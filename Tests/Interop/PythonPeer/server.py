"""Serves a Peer to each connection. interop.capnp says what each method does."""

import asyncio
import os
import signal

import capnp

from schema import address, interop


class Census:
    """What the process counts for its peers."""

    def __init__(self):
        self.live = 0
        self.cancelled = 0


class Object:
    """Counted while it lives."""

    def __init__(self, census):
        self.census = census
        census.live += 1

    def __del__(self):
        self.census.live -= 1


class Counter(Object, interop.Counter.Server):
    def __init__(self, census, start=0):
        Object.__init__(self, census)
        self.number = start

    async def value_context(self, context):
        context.results.value = self.number

    async def add_context(self, context):
        self.number += context.params.n
        context.results.value = self.number


class NamedCounter(Object, interop.NamedCounter.Server):
    def __init__(self, census, name, start=0):
        Object.__init__(self, census)
        self.text = name
        self.number = start

    value_context = Counter.value_context
    add_context = Counter.add_context

    async def name_context(self, context):
        context.results.name = self.text

    async def rename_context(self, context):
        context.results.old = self.text
        self.text = context.params.name


class Node(Object, interop.Node.Server):
    def __init__(self, census, names):
        Object.__init__(self, census)
        self.names = names

    async def child_context(self, context):
        context.results.node = await make_node(self.census, self.names, context.params)

    async def path_context(self, context):
        context.results.path = "/".join(self.names)

    async def place_context(self, context):
        place = context.results.init("place")
        place.label = "place of " + "/".join(self.names)
        place.inner.depth = len(self.names) - 1
        place.inner.node = self


async def make_node(census, above, params):
    name = params.name
    await asyncio.sleep(params.afterMilliseconds / 1000)
    if not name:
        raise Exception("a node needs a name")
    return Node(census, above + [name])


class Sequence(Object, interop.Sequence.Server):
    def __init__(self, census):
        Object.__init__(self, census)
        self.count = 0

    async def next_context(self, context):
        if context.params.expected != self.count:
            raise Exception(f"out of order: expected {context.params.expected}, is {self.count}")
        context.results.n = self.count
        self.count += 1


def mirrored(data):
    return bytes(reversed(data))


def mirror_point(point, to):
    to.x, to.y = point.y, point.x


def mirror(values, to):
    """Writes the mirror image of the values."""
    to.bool = not values.bool
    for name in ["int8", "int16", "int32", "int64"]:
        setattr(to, name, ~getattr(values, name))
    for bits in [8, 16, 32, 64]:
        name = f"uint{bits}"
        setattr(to, name, ~getattr(values, name) & ((1 << bits) - 1))
    to.float32, to.float64 = -values.float32, -values.float64
    to.colour = {"red": "blue", "green": "green", "blue": "red"}[str(values.colour)]
    to.text = values.text[::-1]
    to.data = mirrored(values.data)
    if values._has("point"):
        mirror_point(values.point, to.init("point"))
    to.bools = [not value for value in reversed(values.bools)]
    to.int32s = [~value for value in reversed(values.int32s)]
    to.float64s = [-value for value in reversed(values.float64s)]
    to.texts = [text[::-1] for text in reversed(values.texts)]
    points = to.init("points", len(values.points))
    for index, point in enumerate(reversed(values.points)):
        mirror_point(point, points[index])
    to.matrix = [[~value & 0xFFFF for value in reversed(row)] for row in reversed(values.matrix)]
    which = str(values.choice.which())
    if which == "number":
        to.choice.number = ~values.choice.number
    elif which == "word":
        to.choice.word = values.choice.word[::-1]
    elif which == "place":
        mirror_point(values.choice.place, to.choice.init("place"))
    else:
        to.choice.nothing = None
    to.limit = ~values.limit & 0xFFFFFFFF


class Peer(interop.Peer.Server):
    def __init__(self, census, hang_up):
        self.census = census
        self.hang_up = hang_up
        self.held = None

    async def echo_context(self, context):
        context.results.values = context.params.values

    async def mirror_context(self, context):
        mirror(context.params.values, context.results.init("values"))

    async def echoData_context(self, context):
        context.results.data = context.params.data

    async def newCounter_context(self, context):
        context.results.counter = Counter(self.census, context.params.start)

    async def newCounters_context(self, context):
        counters = context.results.init("counters", context.params.count)
        for index in range(context.params.count):
            counters[index] = Counter(self.census, index)

    async def newNamedCounter_context(self, context):
        params = context.params
        context.results.counter = NamedCounter(self.census, params.name, params.start)

    async def newNode_context(self, context):
        context.results.node = await make_node(self.census, [], context.params)

    async def newSequence_context(self, context):
        context.results.sequence = Sequence(self.census)

    async def find_context(self, context):
        name = context.params.name
        makers = {
            "counter": lambda: interop.Counter._new_client(Counter(self.census)),
            "namedCounter": lambda: interop.NamedCounter._new_client(
                NamedCounter(self.census, name)),
            "sequence": lambda: interop.Sequence._new_client(Sequence(self.census)),
        }
        if name in makers:
            context.results.capability = makers[name]()

    async def liveObjects_context(self, context):
        context.results.count = self.census.live

    async def callBack_context(self, context):
        callback, total = context.params.callback, 0
        for n in range(context.params.times):
            total += (await callback.call(n=n)).n
        context.results.sum = total

    async def forward_context(self, context):
        # No tail call: pycapnp's aborts the process.
        context.results.n = (await context.params.callback.call(n=context.params.n)).n

    async def hold_context(self, context):
        self.held = context.params.callback

    def holding(self):
        if self.held is None:
            raise Exception("nothing is held")
        return self.held

    async def callHeld_context(self, context):
        context.results.n = (await self.holding().call(n=context.params.n)).n

    async def returnHeld_context(self, context):
        context.results.callback = self.holding()

    async def dropHeld_context(self, context):
        self.held = None

    async def echoSequence_context(self, context):
        context.results.sequence = context.params.sequence

    async def sumCounters_context(self, context):
        answers = [counter.value() for counter in context.params.counters]
        context.results.sum = sum([(await answer).value for answer in answers])

    async def fail_context(self, context):
        # Whatever a method raises goes out as `failed`: see UNSUPPORTED in peer.py.
        raise Exception(context.params.reason)

    async def never_context(self, context):
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.census.cancelled += 1
            raise

    async def cancelledCalls_context(self, context):
        context.results.count = self.census.cancelled

    async def disconnect_context(self, context):
        self.hang_up()
        await asyncio.Event().wait()


async def serve(text, seconds):
    """Serves until SIGTERM or SIGINT comes or the time is up."""
    census = Census()
    links = set()

    async def accept(stream):
        over = asyncio.Event()
        server = capnp.TwoPartyServer(stream, bootstrap=Peer(census, over.set))
        end = asyncio.ensure_future(server.on_disconnect())
        hung_up = asyncio.ensure_future(over.wait())
        links.add(end)
        await asyncio.wait([end, hung_up], return_when=asyncio.FIRST_COMPLETED)
        hung_up.cancel()
        links.discard(end)
        server.close()
        stream.close()

    host, port = address(text)
    if port is None:
        if os.path.exists(host):
            os.unlink(host)
        server = await capnp.AsyncIoStream.create_unix_server(accept, host)
        print("listening", text, flush=True)
    else:
        server = await capnp.AsyncIoStream.create_server(accept, host, port)
        print("listening", server.sockets[0].getsockname()[1], flush=True)

    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except asyncio.TimeoutError:
        return 2
    server.close()
    return 0
