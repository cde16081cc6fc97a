namespace Holdfast.Files;

/// <summary>Names of users and groups, as this machine knows them. May be used from any thread.</summary>
public interface IOwnerNames
{
    /// <summary>The user's name; null when it has none.</summary>
    byte[]? UserName(uint uid);

    /// <summary>The group's name; null when it has none.</summary>
    byte[]? GroupName(uint gid);

    /// <summary>The user of a name; null when there is none.</summary>
    uint? UserId(ReadOnlySpan<byte> name);

    /// <summary>The group of a name; null when there is none.</summary>
    uint? GroupId(ReadOnlySpan<byte> name);
}
