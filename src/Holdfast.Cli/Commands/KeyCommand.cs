using System.CommandLine;
using Holdfast.Cli.Output;
using Holdfast.Cli.Secrets;
using Holdfast.Cli.Values;
using Holdfast.Log;
using Holdfast.Vault;
using static Holdfast.Cli.Commands.Flags;

namespace Holdfast.Cli.Commands;

/// <summary>What <c>key list</c> is asked for.</summary>
internal sealed record KeyListOptions;

/// <summary>What <c>key add</c> is asked for.</summary>
/// <param name="NewPasswordFile">Where the new password stands; null to ask.</param>
/// <param name="Label">What the list shows beside the key; null for nothing.</param>
/// <param name="Role">What the new key may do; null for a further password of the key in use.</param>
internal sealed record KeyAddOptions(string? NewPasswordFile, string? Label, KeyRole? Role);

/// <summary>What <c>key remove</c> is asked for.</summary>
/// <param name="Id">The key's id or the beginning of it.</param>
internal sealed record KeyRemoveOptions(string Id);

/// <summary>What <c>key passwd</c> is asked for.</summary>
/// <param name="NewPasswordFile">Where the new password stands; null to ask.</param>
internal sealed record KeyPasswdOptions(string? NewPasswordFile);

/// <summary>What <c>key rotate</c> is asked for.</summary>
/// <param name="Identity">Whether chunks get other ids too.</param>
internal sealed record KeyRotateOptions(bool Identity);

/// <summary><c>holdfast key</c>: the keys of a vault, what each may do, and their passwords.</summary>
internal static class KeyCommand
{
    private const string NewPasswordFileSays = "read the new password from a file (default: ask for it twice)";

    private static readonly KeyRole[] Roles = [KeyRole.Add, KeyRole.List, KeyRole.Restore, KeyRole.Prune, KeyRole.Admin];

    public static VerbCommand Create() => new VerbCommand("key", "list, add, change, remove and rotate the keys of the vault")
    {
        Synopsis = "list|add|remove|passwd|rotate",
        Details =
        [
            "A vault has one or more keys, each with a password of its own. The first may do everything; further ones can be given less, by a " +
            "role: \"add\" makes restore points and cannot read any, \"list\" sees names but no content, \"restore\" reads and writes nothing, " +
            "\"prune\" frees space and sees neither names nor content, \"admin\" does all but manage keys.",
        ],
        Examples =
        [
            new("holdfast key list", "list the keys"),
            new("holdfast key add --label office-safe", "a second password, for the envelope in the safe"),
            new("holdfast key add --role add --label web1", "a key for a machine that shall only make backups"),
        ],
    }.With(CreateList(), CreateAdd(), CreateRemove(), CreatePasswd(), CreateRotate());

    private static VerbCommand CreateList() => new VerbCommand("list", "list the keys of the vault")
    {
        Details = ["The key that opened the vault is marked. Keys of one writer are passwords of the same keys. Revoked keys are listed too."],
        Examples = [new("holdfast key list", "list the keys")],
    }.Does((_, _) => new KeyListOptions(), ListAsync);

    private static VerbCommand CreateAdd()
    {
        Option<string?> newPasswordFile = One("--new-password-file", "FILE", NewPasswordFileSays);
        Option<string?> label = One("--label", "TEXT", "a name for it, which \"key list\" shows");
        Option<string?> role = One("--role", "ROLE", "what it may do: add, list, restore, prune or admin (default: a further password of the key in use)");
        return new VerbCommand("add", "add a key or a password that opens the vault")
        {
            Details =
            [
                "Without --role the new password opens the same keys as the one in use. With it the new key has what its role needs and signs what it " +
                "writes by itself, so that it can be revoked alone; only the first key of a vault can add such keys.",
            ],
            Examples =
            [
                new("holdfast key add --label office-safe", "asks for the new password twice"),
                new("holdfast key add --role restore --label helpdesk", "a key that reads everything and writes nothing"),
            ],
        }.With(role, label, newPasswordFile)
        .Does(
            (parse, _) => new KeyAddOptions(
                parse.GetValue(newPasswordFile), parse.GetValue(label), parse.GetValue(role) is { } text ? ParseRole(text, role.Name) : null),
            AddAsync);
    }

    private static VerbCommand CreateRemove()
    {
        var id = new Argument<string>("ID") { Description = "id of the key, or the beginning of it" };
        return new VerbCommand("remove", "remove a key of the vault, and revoke it")
        {
            Synopsis = "ID",
            Details =
            [
                "Its password opens the vault no longer. When it was the last password of its key, the key is revoked: what it wrote stays, what it " +
                "would write from now on counts no more. Who copied it can still read what is there, and what is added until \"holdfast key rotate\".",
                "The last key of a vault cannot be removed: nobody could open it any more.",
            ],
            Examples = [new("holdfast key remove 5c1e", "its password opens the vault no longer")],
        }.With(id)
        .Does(
            (parse, _) => new KeyRemoveOptions(
                parse.One(id) is { Length: > 0 } text ? text : throw UsageError.Of("ID is empty")),
            RemoveAsync);
    }

    private static VerbCommand CreateRotate()
    {
        Option<bool> identity = Flag("--identity", "give new chunks other ids too: nothing new is deduplicated against what is there");
        return new VerbCommand("rotate", "begin a new key epoch, which removed keys cannot read")
        {
            Details =
            [
                "What is written from now on is sealed under new keys. Everybody whose key was not removed gets them when the vault is opened next, " +
                "with the password that they have. What is in the vault stays as it is, and readable as before: also to a removed key, for who can still get at the vault. " +
                "\"holdfast prune --rewrap\" ends that, a part of the vault at a time if it is told so.",
                "Only the first key of a vault can do it. Its own password stays, too; its key gets a new id.",
            ],
            Examples = [new("holdfast key rotate", "after a key was removed that somebody else may have")],
        }.With(identity)
        .Does((parse, _) => new KeyRotateOptions(parse.GetValue(identity)), RotateAsync);
    }

    private static VerbCommand CreatePasswd()
    {
        Option<string?> newPasswordFile = One("--new-password-file", "FILE", NewPasswordFileSays);
        return new VerbCommand("passwd", "change the password of the key that opens the vault")
        {
            Details = ["The old password opens the vault no longer."],
            Examples = [new("holdfast key passwd", "asks for the old password, then for the new one twice")],
        }.With(newPasswordFile)
        .Does(
            (parse, _) => new KeyPasswdOptions(parse.GetValue(newPasswordFile)),
            PasswdAsync);
    }

    private static KeyRole ParseRole(string text, string flag)
    {
        foreach (KeyRole role in Roles)
        {
            if (NameOf(role) == text) return role;
        }

        throw UsageError.Of($"{flag}: {text} is no role", $"it is one of {string.Join(", ", Roles.Select(NameOf))}");
    }

    private static string NameOf(KeyRole role) => role.ToString().ToLowerInvariant();

    private static async Task<int> ListAsync(KeyListOptions options, CommandContext context, CancellationToken cancellationToken)
    {
        using OpenVault vault = await context.OpenVaultAsync(VaultUse.SeePoints, cancellationToken).ConfigureAwait(false);
        IReadOnlyList<VaultKey> keys = await VaultKeys.ListAsync(vault, cancellationToken).ConfigureAwait(false);
        var table = new Table(
            ("", Align.Left), ("Id", Align.Left), ("Created", Align.Left), ("Role", Align.Left), ("Writer", Align.Left), ("Revoked", Align.Left), ("Label", Align.Left), ("Slot", Align.Left));
        JsonArray array = context.Output.BeginArray();
        foreach (VaultKey key in keys)
        {
            table.Add(
                key.IsCurrent ? "*" : "", key.Id, TimeText.Show(key.Created, context.Output.Zone), key.Role is { } role ? NameOf(role) : "?", key.Writer ?? "?",
                key.Revoked is { } revoked ? TimeText.Show(revoked, context.Output.Zone) : "", key.Label ?? "?",
                key.Damage is { } damage ? "damaged: " + damage : "");
            array.Add(key, static (writer, item) =>
            {
                writer.WriteStartObject();
                writer.WriteString("id", item.Id);
                writer.WriteString("created", TimeText.ShowExact(item.Created));
                writer.WriteBoolean("current", item.IsCurrent);
                writer.WriteString("role", item.Role is { } known ? NameOf(known) : null);
                writer.WriteString("writer", item.Writer);
                writer.WriteString("revoked", item.Revoked is { } since ? TimeText.ShowExact(since) : null);
                writer.WriteString("label", item.Label);
                writer.WriteString("damage", item.Damage);
                writer.WriteEndObject();
            });
        }

        table.WriteTo(context.Output);
        array.End();
        int code = context.EndWith(vault, DamageReach.Result);
        if (!keys.Any(static key => key.Damage is not null)) return code;
        context.Output.Notice("a key whose slot is damaged opens nothing: \"holdfast repair --from\" a copy of the vault may bring it back; else remove it and add another");
        return ExitCodes.Of(ErrorKind.Damage);
    }

    private static async Task<int> AddAsync(KeyAddOptions options, CommandContext context, CancellationToken cancellationToken)
    {
        using OpenVault vault = await context.OpenVaultAsync(options.Role is null ? VaultUse.SeePoints : VaultUse.ManageKeys, cancellationToken).ConfigureAwait(false);
        using Password password = await context.GetNewPasswordAsync(options.NewPasswordFile, cancellationToken).ConfigureAwait(false);
        using var secret = new VaultSecret(password.Bytes.Span);
        string label = options.Label ?? "";
        if (options.Role is not { } role)
        {
            string further = await VaultKeys.AddAsync(vault, secret, label, cancellationToken).ConfigureAwait(false);
            return Done(context, further, $"added key {further}");
        }

        string id = await VaultKeys.AddAsync(vault, secret, role, label, cancellationToken).ConfigureAwait(false);
        return Done(context, id, $"added key {id} of the role {NameOf(role)}");
    }

    private static async Task<int> RemoveAsync(KeyRemoveOptions options, CommandContext context, CancellationToken cancellationToken)
    {
        using OpenVault vault = await context.OpenVaultAsync(VaultUse.SeePoints, cancellationToken).ConfigureAwait(false);
        VaultKey key = await VaultKeys.RemoveAsync(vault, options.Id, cancellationToken).ConfigureAwait(false);
        if (key.Revoked is null) return Done(context, key.Id, $"removed key {key.Id}: its password opens the vault no longer");
        int code = Done(context, key.Id, $"removed and revoked key {key.Id}: its password opens the vault no longer, and what it would still write does not count");
        context.Output.SummaryLine("Who has a copy of it can read what is added until \"holdfast key rotate\".");
        return code;
    }

    private static async Task<int> RotateAsync(KeyRotateOptions options, CommandContext context, CancellationToken cancellationToken)
    {
        (OpenVault vault, VaultSecret secret) = await context.OpenVaultWithSecretAsync(VaultUse.ManageKeys, cancellationToken).ConfigureAwait(false);
        using (vault)
        using (secret)
        {
            (uint epoch, string key) = await VaultKeys.RotateAsync(vault, secret, options.Identity, cancellationToken).ConfigureAwait(false);
            context.Output.SummaryLine($"began key epoch {epoch}: what is written from now on is sealed under new keys; your key is now {key}");
            context.Output.SummaryLine("Removed keys can still read what was there before, until \"holdfast prune --rewrap\" has been through the vault.");
            context.Output.Document((epoch, key), static (writer, made) =>
            {
                writer.WriteStartObject();
                writer.WriteNumber("epoch", made.epoch);
                writer.WriteString("id", made.key);
                writer.WriteEndObject();
            });
            return context.EndWith(vault, DamageReach.Result);
        }
    }

    private static async Task<int> PasswdAsync(KeyPasswdOptions options, CommandContext context, CancellationToken cancellationToken)
    {
        using OpenVault vault = await context.OpenVaultAsync(VaultUse.SeePoints, cancellationToken).ConfigureAwait(false);
        using Password password = await context.GetNewPasswordAsync(options.NewPasswordFile, cancellationToken).ConfigureAwait(false);
        using var secret = new VaultSecret(password.Bytes.Span);
        string id = await VaultKeys.ChangePasswordAsync(vault, secret, cancellationToken).ConfigureAwait(false);
        return Done(context, id, $"changed the password: the key is now {id}, and the old password opens the vault no longer");
    }

    private static int Done(CommandContext context, string id, string says)
    {
        context.Output.SummaryLine(says);
        context.Output.Document(id, static (writer, key) =>
        {
            writer.WriteStartObject();
            writer.WriteString("id", key);
            writer.WriteEndObject();
        });
        return ExitCodes.Done;
    }
}
