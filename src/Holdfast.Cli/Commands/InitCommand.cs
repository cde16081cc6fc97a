using Holdfast.Cli.Secrets;
using Holdfast.Storage;
using Holdfast.Vault;

namespace Holdfast.Cli.Commands;

/// <summary>What <c>init</c> is asked for.</summary>
internal sealed record InitOptions;

/// <summary><c>holdfast init</c>: makes a vault.</summary>
internal static class InitCommand
{
    private const string FirstKeyLabel = "first";

    public static VerbCommand Create() => new VerbCommand("init", "make a vault")
    {
        Details =
        [
            "Makes an empty vault at the given place, which must be empty or absent. Its content is encrypted; the key is " +
            "sealed with the password. Nobody can restore anything without the password: keep a copy of it elsewhere.",
        ],
        Examples =
        [
            new("holdfast init -r /backup/vault", "make a vault; asks for a new password twice"),
            new("holdfast init -r /backup/vault --password-file /etc/holdfast/password", "the same from a script"),
        ],
    }.Does((_, _) => new InitOptions(), RunAsync);

    private static async Task<int> RunAsync(InitOptions options, CommandContext context, CancellationToken cancellationToken)
    {
        IObjectStore store = context.OpenStore();
        await OpenVault.RequireEmptyAsync(store, cancellationToken).ConfigureAwait(false);
        using Password password = await context.GetFirstPasswordAsync(cancellationToken).ConfigureAwait(false);
        using var secret = new VaultSecret(password.Bytes.Span);
        using OpenVault vault = await OpenVault.InitAsync(context.Host, store, secret, FirstKeyLabel, cancellationToken).ConfigureAwait(false);
        context.Output.SummaryLine($"made vault {vault.Id} at {context.Output.Shown(vault.Address)}");
        context.Output.SummaryLine("Without the password nothing can be restored: keep a copy of it somewhere else.");
        context.Output.Document(vault, static (writer, made) =>
        {
            writer.WriteStartObject();
            writer.WriteString("id", made.Id);
            writer.WriteString("address", made.Address);
            writer.WriteEndObject();
        });
        return ExitCodes.Done;
    }
}
