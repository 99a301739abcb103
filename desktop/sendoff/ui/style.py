"""The application's style sheet and palette, made from the tokens; what paints itself needs neither."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtGui import QColor, QPalette


def palette(colors: Mapping[str, str]) -> QPalette:
    """Qt's own roles, for everything that Qt draws itself."""
    made = QPalette()
    roles = QPalette.ColorRole
    for role, name in (
        (roles.Window, "surface"), (roles.WindowText, "text"), (roles.Base, "input"), (roles.AlternateBase, "hover"),
        (roles.Text, "text"), (roles.PlaceholderText, "text3"), (roles.Button, "raised"), (roles.ButtonText, "text"),
        (roles.BrightText, "accent.on"), (roles.ToolTipBase, "raised"), (roles.ToolTipText, "text"),
        (roles.Highlight, "accent.fill"), (roles.HighlightedText, "accent.on"), (roles.Accent, "accent.fill"),
        (roles.Link, "accent.text"), (roles.LinkVisited, "accent.text"), (roles.Light, "raised"),
        (roles.Midlight, "line_soft"), (roles.Mid, "line"), (roles.Dark, "control"), (roles.Shadow, "line"),
    ):  # fmt: skip
        made.setColor(role, QColor(colors[name]))
    for role in (roles.WindowText, roles.Text, roles.ButtonText):
        made.setColor(QPalette.ColorGroup.Disabled, role, QColor(colors["icon_disabled"]))
    return made


def sheet(colors: Mapping[str, str]) -> str:
    """Menus, lists, scroll bars, tooltips and the insides of fields."""
    text = _SHEET
    for name in sorted(colors, key=len, reverse=True):
        text = text.replace(f"@{name};", f"{colors[name]};").replace(f"@{name} ", f"{colors[name]} ")
    return text


_SHEET = """
QMainWindow, QStackedWidget { background: @surface; }
QLineEdit, QPlainTextEdit, QTextEdit, QTextBrowser {
    background: transparent; border: none; padding: 0;
    selection-background-color: @accent.fill; selection-color: @accent.on;
}
QAbstractItemView { background: transparent; border: none; outline: none; color: @text; }
QScrollArea, QScrollArea > QWidget > QWidget#page { background: transparent; border: none; }
QScrollBar:vertical { background: transparent; width: 12px; margin: 0; }
QScrollBar:horizontal { background: transparent; height: 12px; margin: 0; }
QScrollBar::handle { background: @control; border-radius: 3px; }
QScrollBar::handle:hover { background: @neutral.8; }
QScrollBar::handle:vertical { min-height: 32px; margin: 3px 3px 3px 3px; }
QScrollBar::handle:horizontal { min-width: 32px; margin: 3px 3px 3px 3px; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }
QAbstractScrollArea::corner { background: transparent; }
QToolTip { background: @raised; color: @text; border: 1px solid @line; padding: 1px 3px; }
QMenu { background: @raised; color: @text; border: 1px solid @line; border-radius: 8px; padding: 4px; }
QMenu::item { min-height: 30px; padding: 0 12px 0 12px; border-radius: 6px; background: transparent; }
QMenu::item:selected { background: @accent.tint; }
QMenu::item:disabled { color: @text3; background: transparent; }
QMenu::icon { padding-left: 12px; }
QMenu::separator { height: 1px; background: @line_soft; margin: 4px -4px 4px -4px; }
QMenu::right-arrow { width: 12px; height: 12px; }
QHeaderView, QHeaderView::section { background: @hover; color: @text2; border: none; padding: 3px 6px; }
QFileDialog QLineEdit { background: @input; border: 1px solid @control; border-radius: 6px; padding: 3px 6px; }
QComboBox { combobox-popup: 0; }
QComboBox QAbstractItemView {
    background: @raised; border: 1px solid @line; padding: 4px; color: @text;
    selection-background-color: @accent.tint; selection-color: @text;
}
QListView#completions { background: @raised; border: 1px solid @line; padding: 4px; color: @text; }
QListView#completions::item { min-height: 30px; padding: 0 6px; border-radius: 6px; }
QListView#completions::item:selected { background: @accent.tint; color: @text; }
"""
