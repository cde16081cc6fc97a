using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Holdfast.Storage;
using Holdfast.Testing;
using Holdfast.Vault.Keys;
using Holdfast.Vault.Sealing;

namespace Holdfast.Vault.Tests.Golden;

/// <summary>Golden vaults with keys of all roles, keys that were removed, and several key epochs.</summary>
internal static class GoldenKeys
{
    public static Dictionary<string, Func<CancellationToken, Task<MemoryObjectStore>>> All { get; } = new(StringComparer.Ordinal)
    {
        ["roles"] = MakeRolesAsync,
        ["epochs"] = static stop => MakeEpochsAsync(631, rewraps: false, stop),
        ["epochs-rewrapped"] = static stop => MakeEpochsAsync(632, rewraps: true, stop),
        ["slots-of-both-versions"] = MakeSlotsAsync,
    };

    /// <summary>Points, marks and removals of several keys, one of which was removed and goes on writing.</summary>
    private static async Task<MemoryObjectStore> MakeRolesAsync(CancellationToken stop)
    {
        using GoldenWorld world = await GoldenWorld.CreateAsync(630, stop);
        foreach (KeyRole role in (KeyRole[])[KeyRole.Admin, KeyRole.Add, KeyRole.List, KeyRole.Restore, KeyRole.Prune]) await world.AddKeyAsync(role, $"{role}", stop);
        string thief = await world.AddKeyAsync(KeyRole.Add, "thief", stop);
        using (OpenVault keys = await world.OpenForKeysAsync(stop))
        using (VaultSecret further = GoldenWorld.Secret("further"))
        {
            await VaultKeys.AddAsync(keys, further, "further", stop);
        }

        var points = new List<SessionId>();
        foreach (string label in (string[])[GoldenFiles.Password, nameof(KeyRole.Admin), nameof(KeyRole.Add), "thief"])
        {
            world.Write($"of {label}", 1000 + label.Length);
            points.Add(await world.BackupAsync(stop, label));
        }

        await world.ForgetAsync(stop, points[0]);
        await world.PruneAsync(stop, nameof(KeyRole.Prune));
        using (OpenVault second = await world.OpenAsync(stop, nameof(KeyRole.Admin))) await PointState.HoldAsync(second, [points[2]], null, "by the second admin", stop);
        using OpenVault stolen = await world.OpenAsync(stop, "thief");
        using (OpenVault keys = await world.OpenForKeysAsync(stop)) await VaultKeys.RemoveAsync(keys, thief, stop);
        // A client that does not ask whether it may.
        stolen.Sealer.Writers = WriterBook.Of(stolen.Sealer.Ring);
        world.Write("after", 1500);
        await world.BackupAsync(stolen, stop);
        return world.Store;
    }

    /// <summary>Three epochs, the third with other names for content; a key was removed before the second, and its slot kept by who had it.</summary>
    private static async Task<MemoryObjectStore> MakeEpochsAsync(int seed, bool rewraps, CancellationToken stop)
    {
        using GoldenWorld world = await GoldenWorld.CreateAsync(seed, stop);
        foreach (KeyRole role in (KeyRole[])[KeyRole.Add, KeyRole.Restore, KeyRole.Prune]) await world.AddKeyAsync(role, $"{role}", stop);
        string thief = await world.AddKeyAsync(KeyRole.Restore, "thief", stop);
        byte[] slot = (await world.Store.TryGetAsync(KeyDirectory.Prefix + thief, KeySlot.MaxBytes, stop))!;
        world.Write("first", 2000);
        await world.BackupAsync(stop);
        using (OpenVault keys = await world.OpenForKeysAsync(stop)) await VaultKeys.RemoveAsync(keys, thief, stop);
        await world.RotateAsync(renewIdentity: false, stop);
        world.Write("second", 2001);
        await world.BackupAsync(stop, nameof(KeyRole.Add));
        await world.RotateAsync(renewIdentity: true, stop);
        await world.AddKeyAsync(KeyRole.List, "late", stop);
        world.Write("third", 2002);
        await world.BackupAsync(stop);
        if (rewraps) await world.PruneAsync(stop, rewraps: true);
        world.Store.Overwrite(KeyDirectory.Prefix + thief, slot);
        return world.Store;
    }

    /// <summary>One slot as they were made before they had a checksum, and one as they are made now.</summary>
    private static async Task<MemoryObjectStore> MakeSlotsAsync(CancellationToken stop)
    {
        using GoldenWorld world = await GoldenWorld.CreateAsync(633, stop);
        world.Write("file", 2000);
        await world.BackupAsync(stop);
        await world.AddKeyAsync(KeyRole.Restore, nameof(KeyRole.Restore), stop);
        using OpenVault vault = await world.OpenAsync(stop);
        using VaultSecret secret = GoldenWorld.Secret(GoldenFiles.Password);
        world.Store.Overwrite(KeyDirectory.Prefix + vault.KeySlotId, SealOld(vault, secret));
        return world.Store;
    }

    /// <summary>A key slot of version 1, which no code writes any more: docs/formats/vault.md, "Key slot".</summary>
    private static byte[] SealOld(OpenVault vault, VaultSecret secret)
    {
        const int headerBytes = 60, kdfOffset = 12, nonceOffset = 48, nonceBytes = 12;
        byte[] content = vault.Sealer.Ring.Encode();
        byte[] slot = new byte[headerBytes + content.Length + Aead.TagBytes];
        "HFKEYSLT"u8.CopyTo(slot);
        BinaryPrimitives.WriteUInt32LittleEndian(slot.AsSpan(8), 1);
        PasswordKey.Encode(slot.AsSpan(kdfOffset), PasswordKey.DefaultPasses, vault.Host.Entropy);
        vault.Host.Entropy.Fill(slot.AsSpan(nonceOffset, nonceBytes));
        using var aes = new AesGcm(PasswordKey.Derive(secret, slot.AsSpan(kdfOffset, PasswordKey.Size), "golden"), Aead.TagBytes);
        byte[] associated = [.. slot.AsSpan(0, headerBytes), .. vault.VaultId, .. Encoding.ASCII.GetBytes(vault.KeySlotId)];
        aes.Encrypt(slot.AsSpan(nonceOffset, nonceBytes), content, slot.AsSpan(headerBytes, content.Length), slot.AsSpan(headerBytes + content.Length), associated);
        return slot;
    }
}
