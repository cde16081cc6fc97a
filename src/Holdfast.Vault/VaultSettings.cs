using Holdfast.Log;
using Holdfast.Storage;
using Holdfast.Vault.Bytes;
using Holdfast.Vault.Points;
using Holdfast.Vault.Sealing;

namespace Holdfast.Vault;

/// <summary>What a vault's owner chose for all who use it.</summary>
public sealed record VaultSettings
{
    internal const string Prefix = "settings/";
    internal const int MaxBytes = 64 << 10;

    // Each round that fails, somebody else has finished one.
    private const int MaxRounds = 100;

    /// <summary>The settings of a vault where nothing was chosen.</summary>
    public static VaultSettings Default { get; } = new();

    /// <summary>For how long a point that was forgotten can be brought back: so long prune leaves it. Whole seconds, not negative.</summary>
    public TimeSpan UndeleteWindow { get; init; }

    /// <summary>Reads the newest settings.</summary>
    /// <exception cref="HoldfastException">Kind Damage: they cannot be read.</exception>
    public static async Task<VaultSettings> ReadAsync(OpenVault vault, CancellationToken cancellationToken) =>
        (await ReadNewestAsync(vault, cancellationToken).ConfigureAwait(false)).Settings;

    /// <summary>Changes the settings; where somebody else changes them too, on what that one left.</summary>
    /// <returns>The settings after the change. When it returns, they are durable.</returns>
    public static async Task<VaultSettings> ChangeAsync(OpenVault vault, Func<VaultSettings, VaultSettings> change, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(vault);
        ArgumentNullException.ThrowIfNull(change);
        vault.Require(VaultUse.MarkPoints);
        for (int round = 0; round < MaxRounds; round++)
        {
            (VaultSettings settings, uint next) = await ReadNewestAsync(vault, cancellationToken).ConfigureAwait(false);
            VaultSettings changed = change(settings);
            if (changed == settings) return settings;
            ArgumentOutOfRangeException.ThrowIfNegative(changed.UndeleteWindow.Ticks, nameof(change));
            string name = Prefix + ObjectNumber.Text(next);
            byte[] content = vault.Sealer.Seal(ObjectKind.Settings, name, changed.Encode());
            if (await vault.Store.PutIfAbsentAsync(name, content, cancellationToken).ConfigureAwait(false) != PutOutcome.Taken) return changed;
            // Until the one that has the number is shown.
            await Pruning.StoreWait.ForStalenessAsync(vault, 1, cancellationToken).ConfigureAwait(false);
        }

        throw new HoldfastException(ErrorKind.Busy, $"{vault.Address}: others change its settings all the time", "try again");
    }

    internal byte[] Encode()
    {
        var writer = new ByteWriter();
        writer.Varint((ulong)UndeleteWindow.TotalSeconds);
        return writer.ToArray();
    }

    internal static VaultSettings Decode(ReadOnlySpan<byte> body, string name)
    {
        var reader = new ByteReader(body, name);
        long seconds = reader.Varint((long)TimeSpan.MaxValue.TotalSeconds - 1, "undelete window");
        reader.ExpectEnd();
        return new VaultSettings { UndeleteWindow = TimeSpan.FromSeconds(seconds) };
    }

    private static async Task<(VaultSettings Settings, uint Next)> ReadNewestAsync(OpenVault vault, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(vault);
        uint next = 0;
        await foreach (ObjectEntry entry in vault.Store.ListAsync(Prefix, cancellationToken).ConfigureAwait(false))
        {
            if (ObjectNumber.TryParse(entry.Name.AsSpan(Prefix.Length), out uint number)) next = number + 1;
        }

        if (next == 0) return (Default, 0);
        string name = Prefix + ObjectNumber.Text(next - 1);
        byte[] content = await vault.Store.TryGetAsync(name, MaxBytes, cancellationToken).ConfigureAwait(false) ?? throw new DamageException(name, "is missing");
        return (Decode(vault.Sealer.Open(ObjectKind.Settings, name, content).Body, name), next);
    }
}
