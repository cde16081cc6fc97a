using System.CommandLine;
using Holdfast.Cli.Secrets;
using Holdfast.Cli.Values;
using Holdfast.Storage;
using Holdfast.Vault;
using static Holdfast.Cli.Commands.Flags;

namespace Holdfast.Cli.Commands;

/// <summary>What <c>init</c> is asked for.</summary>
/// <param name="SecretsOf">The vault whose keys the new one gets; null for new ones.</param>
/// <param name="FromPasswordFile">Holds its password; null where that is the same.</param>
internal sealed record InitOptions(string? SecretsOf, string? FromPasswordFile);

/// <summary><c>holdfast init</c>: makes a vault.</summary>
internal static class InitCommand
{
    private const string FirstKeyLabel = "first";

    public static VerbCommand Create()
    {
        Option<string?> secretsOf = One("--secrets-of", "URL", "give the new vault the keys of this one, so that copies between the two are cheap");
        Option<string?> fromPassword = One("--from-password-file", "FILE", "the password of that vault, where it is another");
        return new VerbCommand("init", "make a vault")
        {
            Details =
            [
                "Makes an empty vault at the given place, which must be empty or absent. Its content is encrypted; the key is " +
                "sealed with the password. Nobody can restore anything without the password: keep a copy of it elsewhere.",
                "With --secrets-of the new vault has the keys of another, which takes the password of that one's first key. Who can read one can then read the other, " +
                "given its objects. Further keys of the other vault do not open the new one.",
            ],
            Examples =
            [
                new("holdfast init -r /backup/vault", "make a vault; asks for a new password twice"),
                new("holdfast init -r /backup/vault --password-file /etc/holdfast/password", "the same from a script"),
                new("holdfast init -r s3://backups/vault", "in a bucket; credentials as for Amazon's own tools"),
                new("holdfast init -r sftp://me@away.example.org/srv/vault", "on another machine, through ssh"),
                new("holdfast init -r /mnt/away/vault --secrets-of /backup/vault", "a second vault, for \"holdfast copy\""),
            ],
        }.With(secretsOf, fromPassword)
        .Does(
            (parse, _) => Validate(new InitOptions(parse.GetValue(secretsOf), parse.GetValue(fromPassword))),
            RunAsync);
    }

    private static InitOptions Validate(InitOptions options)
    {
        if (options.SecretsOf is { Length: 0 }) throw UsageError.Of("--secrets-of: the address is empty");
        if (options is { FromPasswordFile: not null, SecretsOf: null }) throw UsageError.Of("--from-password-file has no meaning without --secrets-of", "leave it out");
        return options;
    }

    private static async Task<int> RunAsync(InitOptions options, CommandContext context, CancellationToken cancellationToken)
    {
        IObjectStore store = context.OpenStore();
        await OpenVault.RequireEmptyAsync(store, cancellationToken).ConfigureAwait(false);
        using OpenVault? other = options.SecretsOf is null
            ? null
            : await context.OpenOtherAsync(options.SecretsOf, options.FromPasswordFile, cancellationToken).ConfigureAwait(false);
        other?.Require(VaultUse.ManageKeys);
        using Password password = await context.GetFirstPasswordAsync(cancellationToken).ConfigureAwait(false);
        using var secret = new VaultSecret(password.Bytes.Span);
        using OpenVault vault = other is null
            ? await OpenVault.InitAsync(context.Host, store, secret, FirstKeyLabel, cancellationToken).ConfigureAwait(false)
            : await OpenVault.InitWithSecretsOfAsync(context.Host, store, secret, FirstKeyLabel, other, cancellationToken).ConfigureAwait(false);
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
