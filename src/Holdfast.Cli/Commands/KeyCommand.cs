using System.CommandLine;
using Holdfast.Cli.Output;
using Holdfast.Cli.Secrets;
using Holdfast.Cli.Values;
using Holdfast.Vault;
using static Holdfast.Cli.Commands.Flags;

namespace Holdfast.Cli.Commands;

/// <summary>What <c>key list</c> is asked for.</summary>
internal sealed record KeyListOptions;

/// <summary>What <c>key add</c> is asked for.</summary>
/// <param name="NewPasswordFile">Where the new password stands; null to ask.</param>
/// <param name="Label">What the list shows beside the key; null for nothing.</param>
internal sealed record KeyAddOptions(string? NewPasswordFile, string? Label);

/// <summary>What <c>key remove</c> is asked for.</summary>
/// <param name="Id">The key's id or the beginning of it.</param>
internal sealed record KeyRemoveOptions(string Id);

/// <summary>What <c>key passwd</c> is asked for.</summary>
/// <param name="NewPasswordFile">Where the new password stands; null to ask.</param>
internal sealed record KeyPasswdOptions(string? NewPasswordFile);

/// <summary><c>holdfast key</c>: the passwords that open a vault.</summary>
internal static class KeyCommand
{
    private const string NewPasswordFileSays = "read the new password from a file (default: ask for it twice)";

    public static VerbCommand Create() => new VerbCommand("key", "list, add, change and remove the passwords of the vault")
    {
        Synopsis = "list|add|remove|passwd",
        Details = ["A vault has one or more keys; each opens the whole vault with a password of its own."],
        Examples =
        [
            new("holdfast key list", "list the keys"),
            new("holdfast key add --label office-safe", "a second password, for the envelope in the safe"),
        ],
    }.With(CreateList(), CreateAdd(), CreateRemove(), CreatePasswd());

    private static VerbCommand CreateList() => new VerbCommand("list", "list the keys of the vault")
    {
        Details = ["The key that opened the vault is marked."],
        Examples = [new("holdfast key list", "list the keys")],
    }.Does((_, _) => new KeyListOptions(), ListAsync);

    private static VerbCommand CreateAdd()
    {
        Option<string?> newPasswordFile = One("--new-password-file", "FILE", NewPasswordFileSays);
        Option<string?> label = One("--label", "TEXT", "a name for it; \"key list\" shows it to whoever uses this key");
        return new VerbCommand("add", "add a password that opens the vault")
        {
            Details = ["The vault is opened with a password that it has; the new one opens it from then on too."],
            Examples = [new("holdfast key add --label office-safe", "asks for the new password twice")],
        }.With(newPasswordFile, label)
        .Does(
            (parse, _) => new KeyAddOptions(parse.GetValue(newPasswordFile), parse.GetValue(label)),
            AddAsync);
    }

    private static VerbCommand CreateRemove()
    {
        var id = new Argument<string>("ID") { Description = "id of the key, or the beginning of it" };
        return new VerbCommand("remove", "remove a password of the vault")
        {
            Synopsis = "ID",
            Details = ["The last key of a vault cannot be removed: nobody could open it any more."],
            Examples = [new("holdfast key remove 5c1e", "its password opens the vault no longer")],
        }.With(id)
        .Does(
            (parse, _) => new KeyRemoveOptions(
                parse.One(id) is { Length: > 0 } text ? text : throw UsageError.Of("ID is empty")),
            RemoveAsync);
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

    private static async Task<int> ListAsync(KeyListOptions options, CommandContext context, CancellationToken cancellationToken)
    {
        using OpenVault vault = await context.OpenVaultAsync(cancellationToken).ConfigureAwait(false);
        IReadOnlyList<VaultKey> keys = await VaultKeys.ListAsync(vault, cancellationToken).ConfigureAwait(false);
        var table = new Table(("", Align.Left), ("Id", Align.Left), ("Created", Align.Left), ("Role", Align.Left), ("Label", Align.Left));
        JsonArray array = context.Output.BeginArray();
        foreach (VaultKey key in keys)
        {
            table.Add(key.IsCurrent ? "*" : "", key.Id, TimeText.Show(key.Created, context.Output.Zone), key.Role ?? "?", key.Label ?? "?");
            array.Add(key, static (writer, item) =>
            {
                writer.WriteStartObject();
                writer.WriteString("id", item.Id);
                writer.WriteString("created", TimeText.ShowExact(item.Created));
                writer.WriteBoolean("current", item.IsCurrent);
                writer.WriteString("role", item.Role);
                writer.WriteString("label", item.Label);
                writer.WriteEndObject();
            });
        }

        table.WriteTo(context.Output);
        array.End();
        context.TellDamages(vault);
        return ExitCodes.Done;
    }

    private static async Task<int> AddAsync(KeyAddOptions options, CommandContext context, CancellationToken cancellationToken)
    {
        using OpenVault vault = await context.OpenVaultAsync(cancellationToken).ConfigureAwait(false);
        using Password password = await context.GetNewPasswordAsync(options.NewPasswordFile, cancellationToken).ConfigureAwait(false);
        using var secret = new VaultSecret(password.Bytes.Span);
        string id = await VaultKeys.AddAsync(vault, secret, options.Label ?? "", cancellationToken).ConfigureAwait(false);
        return Done(context, id, $"added key {id}");
    }

    private static async Task<int> RemoveAsync(KeyRemoveOptions options, CommandContext context, CancellationToken cancellationToken)
    {
        using OpenVault vault = await context.OpenVaultAsync(cancellationToken).ConfigureAwait(false);
        string id = await VaultKeys.RemoveAsync(vault, options.Id, cancellationToken).ConfigureAwait(false);
        return Done(context, id, $"removed key {id}: its password opens the vault no longer");
    }

    private static async Task<int> PasswdAsync(KeyPasswdOptions options, CommandContext context, CancellationToken cancellationToken)
    {
        using OpenVault vault = await context.OpenVaultAsync(cancellationToken).ConfigureAwait(false);
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
