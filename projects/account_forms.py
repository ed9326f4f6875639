"""Sign-in and passwords as Setright offers them: in its words, without a reset by mail."""

from typing import Any

from allauth.account.forms import ChangePasswordForm, LoginForm


class SignInForm(LoginForm):  # type: ignore[misc]  # allauth ships no types.
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password"].help_text = ""
        self.fields["login"].label = "User name or e-mail"
        self.fields["remember"].label = "Stay signed in"
        for name in ("login", "password"):
            del self.fields[name].widget.attrs["placeholder"]


class PasswordForm(ChangePasswordForm):  # type: ignore[misc]  # allauth ships no types.
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["oldpassword"].help_text = ""
        self.fields["oldpassword"].label = "Password until now"
        self.fields["password1"].label = "New password"
        self.fields["password2"].label = "The new one again"
        for field in self.fields.values():
            field.widget.attrs.pop("placeholder", None)
