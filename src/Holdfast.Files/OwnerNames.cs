using System.Collections.Concurrent;
using System.Text;
using Holdfast.Files.Local;

namespace Holdfast.Files;

/// <summary>The users and groups of this machine, by the system's name services; each asked for once.</summary>
public sealed class OwnerNames : IOwnerNames
{
    private readonly ConcurrentDictionary<uint, byte[]?> userNames = new();
    private readonly ConcurrentDictionary<uint, byte[]?> groupNames = new();
    private readonly ConcurrentDictionary<string, uint?> userIds = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, uint?> groupIds = new(StringComparer.Ordinal);

    /// <inheritdoc/>
    public byte[]? UserName(uint uid) => userNames.GetOrAdd(uid, NameService.FindUserName);

    /// <inheritdoc/>
    public byte[]? GroupName(uint gid) => groupNames.GetOrAdd(gid, NameService.FindGroupName);

    /// <inheritdoc/>
    public uint? UserId(ReadOnlySpan<byte> name) => userIds.GetOrAdd(Encoding.Latin1.GetString(name), NameService.FindUserId);

    /// <inheritdoc/>
    public uint? GroupId(ReadOnlySpan<byte> name) => groupIds.GetOrAdd(Encoding.Latin1.GetString(name), NameService.FindGroupId);
}
