"""The app's addresses; the pinned ones never change."""

from __future__ import annotations

from django.urls import path

from chats.views import (
    acts,
    adopt,
    attachments,
    chat,
    composer,
    connect,
    decide,
    health,
    home,
    needs_you,
    notices,
    own,
    send,
    setup,
    shared,
    sidebar,
    stop,
)

urlpatterns = [
    path("", home.home, name="home"),
    path("setup/<str:token>/", setup.setup, name="setup"),
    path("shared/<str:slug>/", shared.shared, name="shared"),
    path("sidebar/", sidebar.chats, name="sidebar"),
    path("needs-you/", needs_you.needs_you, name="needs_you"),
    path("settings/notices/", notices.notices, name="notices"),
    path("health/", health.health, name="health"),
    path("adopt/", adopt.adopt, name="adopt"),
    path("attachments/", attachments.attachments, name="attachments"),
    path("attachments/<uuid:id>/", attachments.attachment, name="attachment"),
    path("attachments/<uuid:id>/remove/", attachments.remove, name="remove_attachment"),
    path("chats/", home.create, name="create"),
    path("chats/<uuid:id>/", chat.chat, name="chat"),
    path("chats/<uuid:id>/messages/", send.send, name="send"),
    path("chats/<uuid:id>/stop/", stop.stop, name="stop"),
    path("chats/<uuid:id>/decide/", decide.decide, name="decide"),
    path("chats/<uuid:id>/connect/", connect.connect, name="connect"),
    path("chats/<uuid:id>/project/", connect.project, name="project"),
    path("chats/<uuid:id>/again/", send.again, name="again"),
    path("chats/<uuid:id>/actions/", composer.actions, name="actions"),
    path("chats/<uuid:id>/own/", own.own, name="own"),
    path("chats/<uuid:id>/menu/", acts.menu, name="menu"),
    path("chats/<uuid:id>/mute/", notices.mute, name="mute"),
    path("chats/<uuid:id>/rename/", acts.rename, name="rename"),
    path("chats/<uuid:id>/move/", acts.move, name="move"),
    path("chats/<uuid:id>/repeat-privacy/", acts.repeat_privacy, name="repeat_privacy"),
    path("chats/<uuid:id>/delete/", acts.delete, name="delete"),
    path("chats/<uuid:id>/duplicate/", acts.duplicate, name="duplicate"),
    path("chats/<uuid:id>/copying/", acts.copying, name="copying"),
    path("chats/<uuid:id>/copy-again/", acts.copy_again, name="copy_again"),
    path("chats/<uuid:id>/undelete/", acts.undelete, name="undelete"),
]
