using System.CommandLine;
using Holdfast.Cli.Output;
using Holdfast.Cli.Secrets;
using Holdfast.Cli.Values;
using Holdfast.Files;
using Holdfast.Log;
using Holdfast.Storage;
using Holdfast.Vault;

namespace Holdfast.Cli;

/// <summary>What a verb works with: the common flags, the machine, and where its results go.</summary>
internal sealed class CommandContext
{
    private const long LeastCacheBytes = 16 << 20;

    private IObjectStore? store;

    /// <summary>The common flags.</summary>
    public required CommonValues Common { get; init; }

    /// <summary>Results, notices, errors and progress.</summary>
    public required CommandOutput Output { get; init; }

    /// <summary>Disk, clock and randomness.</summary>
    public required Host Host { get; init; }

    /// <summary>Where passwords come from.</summary>
    public required PasswordSource Passwords { get; init; }

    /// <summary>The whole command line, for help, manual pages and completion.</summary>
    public required RootCommand Root { get; init; }

    /// <summary>Variables of the environment.</summary>
    public required Func<string, string?> Environment { get; init; }

    /// <summary>What time it is, and the local zone.</summary>
    public TimeProvider Clock => Host.Clock;

    /// <summary>The vault's address as the user gave it.</summary>
    /// <exception cref="HoldfastException">Kind Usage: none was given.</exception>
    public string VaultAddress => Common.Vault switch
    {
        null => throw UsageError.Of("no vault is given", "say which with -r URL, or set HOLDFAST_VAULT"),
        var address when SurrogateEscape.HasEscape(address) =>
            throw UsageError.Of($"{SurrogateEscape.Readable(address)}: the address of a vault must be UTF-8", "rename the directory"),
        var address => address,
    };

    /// <summary>How many files or packs are worked on at once.</summary>
    public int Workers => Common.Threads ?? System.Environment.ProcessorCount;

    /// <summary>How much memory a check may take for its table of chunks.</summary>
    public long TableBytes => MemoryBytes / 4;

    /// <summary>How much memory the command is to keep within.</summary>
    public long MemoryBytes => Common.MemoryBytes ?? CommonOptions.DefaultMemoryBytes;

    // The rest of the budget is for what is being read and written.
    private long CacheBytes => Common.MemoryBytes is { } budget ? Math.Max(LeastCacheBytes, budget / 4) : OpenVault.DefaultCacheBytes;

    /// <summary>Where the vault is, or is to be: one store for the whole command, since it may hold a connection.</summary>
    public IObjectStore OpenStore() => store ??= ObjectStores.Open(VaultAddress, Host);

    /// <summary>
    /// Opens the vault for a use, which the key must allow; the caller disposes it. A person is asked for the password only where there
    /// is a vault.
    /// </summary>
    public async Task<OpenVault> OpenVaultAsync(VaultUse use, CancellationToken cancellationToken)
    {
        (OpenVault vault, VaultSecret secret) = await OpenVaultWithSecretAsync(use, cancellationToken).ConfigureAwait(false);
        secret.Dispose();
        return vault;
    }

    /// <summary>The same with the password, where it seals something else too; the caller disposes both.</summary>
    public async Task<(OpenVault Vault, VaultSecret Secret)> OpenVaultWithSecretAsync(VaultUse use, CancellationToken cancellationToken)
    {
        VaultSecret secret = await GetSecretAsync(cancellationToken).ConfigureAwait(false);
        OpenVault? vault = null;
        try
        {
            vault = await OpenVaultAsync(secret, use, cancellationToken).ConfigureAwait(false);
            vault.Require(use);
            return (vault, secret);
        }
        catch
        {
            // Whatever it was: the password must not stay behind.
            secret.Dispose();
            vault?.Dispose();
            throw;
        }
    }

    /// <summary>The password of the vault, which must be there; the caller disposes it.</summary>
    public async Task<VaultSecret> GetSecretAsync(CancellationToken cancellationToken)
    {
        await OpenVault.RequireVaultAsync(OpenStore(), cancellationToken).ConfigureAwait(false);
        using Password password = await GetPasswordAsync(cancellationToken).ConfigureAwait(false);
        return new VaultSecret(password.Bytes.Span);
    }

    /// <summary>The same for a repair, which mends also a vault that does not open.</summary>
    public async Task<VaultSecret> GetSecretForRepairAsync(CancellationToken cancellationToken)
    {
        await OpenVault.RequireRepairableAsync(OpenStore(), cancellationToken).ConfigureAwait(false);
        using Password password = await GetPasswordAsync(cancellationToken).ConfigureAwait(false);
        return new VaultSecret(password.Bytes.Span);
    }

    /// <summary>Opens the vault for a repair; the caller disposes it.</summary>
    /// <param name="secret">Its password.</param>
    /// <param name="copy">What may be a copy of it; null for none.</param>
    /// <param name="cancellationToken">Stops waits for the store.</param>
    public Task<OpenVault> OpenForRepairAsync(VaultSecret secret, OpenVault? copy, CancellationToken cancellationToken) =>
        OpenVault.OpenForRepairAsync(Host, OpenStore(), secret, copy, CacheBytes, cancellationToken);

    /// <summary>Opens the vault with a password that was asked for before; the caller disposes it. Whether the key allows the use it may then look up.</summary>
    public Task<OpenVault> OpenVaultAsync(VaultSecret secret, VaultUse use, CancellationToken cancellationToken) =>
        OpenVault.OpenAsync(Host, OpenStore(), secret, use, CacheBytes, cancellationToken);

    /// <summary>Opens another vault to take from; the caller disposes it.</summary>
    /// <param name="address">Where it is.</param>
    /// <param name="passwordFile">Holds its password; null where it has the same as the vault.</param>
    /// <param name="cancellationToken">Stops waits for the store.</param>
    public async Task<OpenVault> OpenOtherAsync(string address, string? passwordFile, CancellationToken cancellationToken)
    {
        IObjectStore other = ObjectStores.Open(address, Host);
        await OpenVault.RequireVaultAsync(other, cancellationToken).ConfigureAwait(false);
        PasswordChoice choice = passwordFile is null ? Common.PasswordChoice : new PasswordChoice(passwordFile, null);
        using Password password = await Passwords.GetAsync(choice, $"password of {address}", confirm: false, cancellationToken).ConfigureAwait(false);
        using var secret = new VaultSecret(password.Bytes.Span);
        try
        {
            return await OpenVault.OpenAsync(Host, other, secret, VaultUse.ReadData, CacheBytes, cancellationToken).ConfigureAwait(false);
        }
        catch (HoldfastException error) when (error.Kind == ErrorKind.WrongKey && passwordFile is null)
        {
            throw new HoldfastException(ErrorKind.WrongKey, error.Message, "it was tried with the password of the vault: --from-password-file names a file with that of the other one", error);
        }
    }

    /// <summary>The password of something else than the vault, out of a file; the caller disposes it.</summary>
    public async Task<VaultSecret> GetSecretOfAsync(string what, string passwordFile, CancellationToken cancellationToken)
    {
        using Password password = await Passwords.GetAsync(new PasswordChoice(passwordFile, null), $"password of {what}", confirm: false, cancellationToken).ConfigureAwait(false);
        return new VaultSecret(password.Bytes.Span);
    }

    /// <summary>Tells of an item as the run goes on.</summary>
    public void Tell(ItemNotice notice)
    {
        string path = SurrogateEscape.Decode(notice.Path.Span);
        if (notice.IsError) Output.ItemError(path.Length == 0 ? "." : path, notice.Message);
        else Output.Notice(path.Length == 0 ? notice.Message : $"{path}: {notice.Message}");
    }

    /// <summary>Names an item that is new, differs or is gone; only with <c>--verbose</c>.</summary>
    public void Tell(TreeChange change)
    {
        if (Output.Verbose) Output.Detail($"{(char)change.Kind} {Output.Shown(SurrogateEscape.Decode(change.Path.Span))}");
    }

    /// <summary>Names the damage that was met in the vault on the way, and says what the verb ends with for it.</summary>
    /// <param name="vault">Where.</param>
    /// <param name="reach">What that may have done to the result.</param>
    /// <returns>0, or 13 where the result may be affected.</returns>
    public int EndWith(OpenVault vault, DamageReach reach)
    {
        foreach (string damage in vault.Damages) Output.Damage(damage);
        bool isAffected = reach switch
        {
            DamageReach.Result => vault.Damages.Count > 0,
            DamageReach.Choice => vault.UnreadablePoints.Count > 0,
            _ => false,
        };
        return isAffected ? ExitCodes.Of(ErrorKind.Damage) : ExitCodes.Done;
    }

    /// <summary>The same for a verb whose result is one point that was found by a selector, and whole.</summary>
    public int EndWith(OpenVault vault, params PointSelector[] selectors)
    {
        bool isById = selectors.All(static selector => selector.IsById);
        int code = EndWith(vault, isById ? DamageReach.Nothing : DamageReach.Choice);
        // Among those that cannot be read may be the newest.
        if (code != ExitCodes.Done) Output.Damage("a newer restore point may be among those that cannot be read");
        return code;
    }

    /// <summary>The password of the vault; the caller disposes it.</summary>
    public Task<Password> GetPasswordAsync(CancellationToken cancellationToken) =>
        Passwords.GetAsync(Common.PasswordChoice, $"password of {VaultAddress}", confirm: false, cancellationToken);

    /// <summary>The password that an export was sealed under; the caller disposes it.</summary>
    public Task<Password> GetPasswordOfAsync(string file, CancellationToken cancellationToken) =>
        Passwords.GetAsync(Common.PasswordChoice, $"password of {file}", confirm: false, cancellationToken);

    /// <summary>The password of a vault that is being made: a person types it twice.</summary>
    public Task<Password> GetFirstPasswordAsync(CancellationToken cancellationToken) =>
        Passwords.GetAsync(Common.PasswordChoice, $"new password of {VaultAddress}", confirm: true, cancellationToken);

    /// <summary>A further or changed password: from a file when one is named, else typed twice.</summary>
    public Task<Password> GetNewPasswordAsync(string? newPasswordFile, CancellationToken cancellationToken) =>
        Passwords.GetNewAsync(newPasswordFile, cancellationToken);
}
