"""The chat of the Django Channels tutorial (part 3, asynchronous), with the in-memory layer, served by Daphne.

The layer silently drops messages when more than 100 wait in a channel (its documented default), so the load keeps
fewer in flight.
"""

import json
import os

import django
from channels.generic.websocket import AsyncWebsocketConsumer
from channels.routing import ProtocolTypeRouter, URLRouter
from daphne.cli import CommandLineInterface
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.urls import re_path

if not settings.configured:  # daphne imports this module a second time, by name
    settings.configure(
        SECRET_KEY="not a secret: nothing here is signed",
        ALLOWED_HOSTS=["*"],
        INSTALLED_APPS=["daphne", "channels"],
        CHANNEL_LAYERS={"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}},
        ROOT_URLCONF="benchmarks.peers.channels_daphne",
        LOGGING_CONFIG=None,
    )
django.setup()
urlpatterns: list[object] = []


class ChatConsumer(AsyncWebsocketConsumer):
    async def connect(self) -> None:
        self.room_group_name = f"chat_{self.scope['url_route']['kwargs']['room_name']}"
        await self.channel_layer.group_add(self.room_group_name, self.channel_name)
        await self.accept()

    async def disconnect(self, code: int) -> None:
        await self.channel_layer.group_discard(self.room_group_name, self.channel_name)

    async def receive(self, text_data: str) -> None:
        event = {"type": "chat.message", "message": json.loads(text_data)}
        await self.channel_layer.group_send(self.room_group_name, event)

    async def chat_message(self, event: dict[str, object]) -> None:
        await self.send(text_data=json.dumps(event["message"]))


application = ProtocolTypeRouter(
    {
        "http": get_asgi_application(),
        "websocket": URLRouter([re_path(r"ws/(?P<room_name>\w+)$", ChatConsumer.as_asgi())]),
    }
)

if __name__ == "__main__":
    here = "benchmarks.peers.channels_daphne:application"
    CommandLineInterface().run(["-b", os.environ["HOST"], "-p", os.environ["PORT"], "-v", "0", here])
